import { readFileSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { CommanderClient } from '../../src/sdk/commander-client.js';
import { eventually } from '../support/eventually.js';

/** What one commander holds while it has nothing to do. */
export interface CommanderAtRest {
  /** Alive by kind of the ledger, for sure. */
  kinds: Map<string, number>;
  /** Alive by line, for sure: kind and place. */
  groups: Map<string, number>;
  /** Heap in use after full collections. */
  heapFloorBytes: number;
  /** Anonymous pages. */
  rssBytes: number;
  openFdsCount: number;
}

export interface RedisAtRest {
  usedBytes: number;
  keysCount: number;
}

const GROUPS_LIMIT = 200;
/** At rest there are still timers that come and go: of each line the least of several looks counts. */
const LOOKS_COUNT = 6;
const LOOK_EVERY_MS = 90;

/** @param heapFile where the process writes its heap after SIGUSR2, see `collect-on-signal.cjs` */
export async function commanderAtRest(
  client: CommanderClient,
  pid: number,
  heapFile: string,
): Promise<CommanderAtRest> {
  const heapFloorBytes = await heapFloor(pid, heapFile);
  const looks: Pick<CommanderAtRest, 'kinds' | 'groups' | 'openFdsCount'>[] = [];
  for (let look = 0; look < LOOKS_COUNT; look += 1) {
    await sleep(LOOK_EVERY_MS);
    const { kinds, groups } = await client.diagnostics.groups({ limit: GROUPS_LIMIT });
    const { openFds } = await client.diagnostics.summary({});
    looks.push({
      openFdsCount: 'openCount' in openFds ? (openFds.openCount ?? NaN) : NaN,
      kinds: new Map(
        kinds.map(({ kind, live }) => {
          const ofKind = groups.filter((group) => group.kind === kind);
          return [kind, surely(live, Math.hypot(...ofKind.map(({ error }) => error)))];
        }),
      ),
      groups: sumOf(
        groups.map(({ kind, site, live, error }) => [
          `${kind} ${site ? `${site.file}:${site.line}` : '-'}`,
          surely(live, error),
        ]),
      ),
    });
  }
  return {
    kinds: leastOf(looks.map(({ kinds }) => kinds)),
    groups: leastOf(looks.map(({ groups }) => groups)),
    heapFloorBytes,
    rssBytes: anonymousBytes(pid),
    openFdsCount: Math.min(...looks.map(({ openFdsCount }) => openFdsCount)),
  };
}

export async function redisAtRest(redis: Redis): Promise<RedisAtRest> {
  const usedBytes = Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);
  return { usedBytes, keysCount: await redis.dbsize() };
}

/** What a process holds for itself, in bytes: pages of binaries and files can be taken back. */
export function anonymousBytes(pid: number): number {
  return Number(/^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1_024;
}

async function heapFloor(pid: number, heapFile: string): Promise<number> {
  rmSync(heapFile, { force: true });
  process.kill(pid, 'SIGUSR2');
  return eventually(() => Number(readFileSync(heapFile, 'utf8')) || false, { what: `the heap of process ${pid}` });
}

/** One timer that was caught while many were made stands for all of those: less two standard deviations it is none. */
function surely(live: number, error: number): number {
  return Math.max(0, live - 2 * error);
}

function leastOf(looks: readonly Map<string, number>[]): Map<string, number> {
  const [first = new Map<string, number>(), ...others] = looks;
  const least = (name: string, count: number) => Math.min(count, ...others.map((look) => look.get(name) ?? 0));
  const counts = [...first].map(([name, count]): [string, number] => [name, least(name, count)]);
  return new Map(counts.filter(([, count]) => count > 0));
}

function sumOf(entries: [string, number][]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const [name, count] of entries) sums.set(name, (sums.get(name) ?? 0) + count);
  return sums;
}
