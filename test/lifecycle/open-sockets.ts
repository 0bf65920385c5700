import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface OpenSocket {
  state: 'LISTEN' | 'ESTABLISHED' | 'other';
  localPort: number;
  remotePort: number;
}

/** The TCP sockets that a process holds right now, as the kernel sees them: nothing a library says about itself. */
export function openSockets(pid: number): OpenSocket[] {
  const inodes = new Set<string>();
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
      if (inode !== undefined) inodes.add(inode);
    } catch {
      // Closed between the listing and the look.
    }
  }
  return ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => inodes.has(fields[9]))
      .map((fields) => ({ state: stateOf(fields[3]), localPort: portOf(fields[1]), remotePort: portOf(fields[2]) })),
  );
}

function portOf(address: string): number {
  return Number.parseInt(address.slice(address.lastIndexOf(':') + 1), 16);
}

function stateOf(code: string): OpenSocket['state'] {
  if (code === '0A') return 'LISTEN';
  return code === '01' ? 'ESTABLISHED' : 'other';
}
