import type { Redis } from 'ioredis';
import { eventually } from '../support/eventually.js';
import { anonymousBytes } from '../soak/rest-reading.js';
import type { FaultFleet } from './fault-fleet.js';

const REST_TIMEOUT_MS = 20_000;
const GROUPS_LIMIT = 200;
/** Timers come and go also at rest; a leak of a fault that hits hundreds of commands is more. */
const TIMERS_ALLOWED = 20;

/** What the fleet holds while it has nothing to do. */
export interface Holdings {
  /** Of each commander: alive by kind of the ledger. */
  kinds: Map<string, number>[];
  rssBytes: number[];
  redisBytes: number;
}

export async function holdingsOf(fleet: FaultFleet): Promise<Holdings> {
  const kinds = await Promise.all(fleet.commanders.map((_commander, number) => kindsOf(fleet, number)));
  return {
    kinds,
    rssBytes: fleet.commanders.map(({ pid }) => anonymousBytes(pid!)),
    redisBytes: Number(/used_memory:(\d+)/.exec(await fleet.under.redis.info('memory'))?.[1]),
  };
}

/** Kinds of which a commander holds more than before, `socket.client +2`; waits for what is being closed. */
export async function grownKinds(fleet: FaultFleet, before: Holdings): Promise<string[]> {
  let grown: string[] = [];
  await eventually(
    async () => {
      grown = [];
      for (const [number, kinds] of before.kinds.entries()) {
        for (const [kind, live] of await kindsOf(fleet, number)) {
          const more = live - (kinds.get(kind) ?? 0) - (/^(timer|interval)$/.test(kind) ? TIMERS_ALLOWED : 0);
          if (more > 0) grown.push(`commander ${number + 1}: ${kind} +${more}`);
        }
      }
      return grown.length === 0;
    },
    { timeoutMs: REST_TIMEOUT_MS, intervalMs: 250 },
  ).catch(() => undefined);
  return grown;
}

/** What is left in Redis of runs that have all ended; waits for what is being put away. */
export async function orphansIn(redis: Redis, pausedIds: readonly string[]): Promise<string[]> {
  let orphans: string[] = [];
  await eventually(
    async () => {
      orphans = await lookForOrphans(redis, pausedIds);
      return orphans.length === 0;
    },
    { timeoutMs: REST_TIMEOUT_MS, intervalMs: 250 },
  ).catch(() => undefined);
  return orphans;
}

async function lookForOrphans(redis: Redis, pausedIds: readonly string[]): Promise<string[]> {
  const paused = new Set(pausedIds);
  const orphans: string[] = [];
  for (const member of await redis.zrange('{commander}:due', 0, '-1')) {
    const [kind, , id] = member.split('|');
    if (kind === 'r' || (id !== undefined && paused.has(id))) orphans.push(`due index: ${member}`);
  }
  for (const list of ['wait', 'active', 'paused']) {
    const count = await redis.llen(`{commander}:engine:${list}`);
    if (count > 0) orphans.push(`${count} engine jobs in ${list}`);
  }
  for (const pattern of ['{commander}:agent:*:places', '{commander}:open-of:*', '{commander}:buffered-of:*']) {
    for (const key of await keysLike(redis, pattern)) orphans.push(key);
  }
  for (const key of await keysLike(redis, '{commander}:run:*')) {
    if ((await redis.hexists(key, 'state')) === 0) orphans.push(`half a record: ${key}`);
  }
  return orphans;
}

async function keysLike(redis: Redis, pattern: string): Promise<string[]> {
  const keys: string[] = [];
  let cursor = '0';
  do {
    const [next, page] = await redis.scan(cursor, 'MATCH', pattern, 'COUNT', 5_000);
    keys.push(...page);
    cursor = next;
  } while (cursor !== '0');
  return keys;
}

async function kindsOf(fleet: FaultFleet, number: number): Promise<Map<string, number>> {
  const { kinds } = await fleet.commanders[number].client.diagnostics.groups({ limit: GROUPS_LIMIT });
  return new Map(kinds.map(({ kind, live }) => [kind, live]));
}
