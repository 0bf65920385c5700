import { eventually } from './eventually.js';
import type { RedisServer } from './redis-server.js';

/** Resolves when the replica of a master has confirmed all that the master had been told by now. */
export async function hasReplicated(master: RedisServer): Promise<void> {
  const info = () => master.cli('INFO', 'replication');
  const told = Number(/master_repl_offset:(\d+)/.exec(await info())![1]);
  const isConfirmed = async () => Number(/slave0:.*state=online,offset=(\d+)/.exec(await info())?.[1] ?? -1) >= told;
  await eventually(isConfirmed, { timeoutMs: 30_000, what: 'a replica in step' });
}
