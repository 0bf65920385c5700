import { Redis } from 'ioredis';
import { RedisScript } from '../../src/redis/redis-script.js';
import { leaveLeadLua, repairDueLua, takeLeadLua } from '../../src/schedules/take-lead.lua.js';
import { eventually } from '../support/eventually.js';
import { RedisServer } from '../support/redis-server.js';

const take = new RedisScript<number>('take', takeLeadLua);
const leave = new RedisScript<number>('leave', leaveLeadLua);
const repair = new RedisScript<[number, number]>('repair', repairDueLua);

let server: RedisServer;
let redis: Redis;
beforeAll(async () => {
  server = await RedisServer.start();
  redis = new Redis(server.url);
});
afterAll(async () => {
  await redis.quit();
  await server.stop();
});

const takeLead = (who: string, leaseMs: number) => take.run(redis, ['k'], ['k', who, leaseMs]);
/** Takes the lead, whoever had it. */
async function lead(who: string): Promise<number> {
  await redis.del('k:leader');
  return takeLead(who, 60_000);
}
const repairRun = (term: number, runId: string) => repair.run(redis, ['k'], ['k', term, 'ns', 'r', runId]);

it('one leads at a time; each change of leader is a new term, and an old leader changes nothing', async () => {
  await redis.hset('k:run:ns:lost', 'state', 'waiting');
  expect(await takeLead('a', 60_000)).toBe(1);
  expect(await takeLead('b', 2_000)).toBe(0);
  // Keeping the lead is no new term.
  expect(await takeLead('a', 2_000)).toBe(1);

  // a freezes; its lease ends, b takes over.
  const term = await eventually(async () => (await takeLead('b', 60_000)) || false);
  expect(term).toBe(2);
  expect(await repairRun(1, 'lost')).toEqual([-1, 0]);
  expect(await redis.zcard('k:due')).toBe(0);
  expect(await takeLead('a', 2_000)).toBe(0);

  // Twice is as good as once.
  expect(await repairRun(2, 'lost')).toEqual([1, 1]);
  expect(await repairRun(2, 'lost')).toEqual([0, 1]);
  expect(await redis.zcard('k:due')).toBe(1);

  // Only who has the lead can give it back.
  await leave.run(redis, ['k'], ['k', 'a']);
  expect(await takeLead('a', 2_000)).toBe(0);
  await leave.run(redis, ['k'], ['k', 'b']);
  expect(await takeLead('a', 60_000)).toBe(3);
});

it('what waits for its time is put back to come due then', async () => {
  const term = await lead('c');
  const dueAt = Date.now() + 3_600_000;
  await redis.hset('k:run:ns:delayed', 'state', 'delayed', 'dueAt', dueAt);
  await redis.hset('k:run:ns:at-once', 'state', 'waiting');
  expect(await repairRun(term, 'delayed')).toEqual([1, 1]);
  expect(await redis.zscore('k:due', 'r|ns|delayed')).toBe(String(dueAt));
  expect(await repairRun(term, 'at-once')).toEqual([1, 1]);
  expect(Number(await redis.zscore('k:due', 'r|ns|at-once'))).toBeLessThan(dueAt);
});

it('who leads goes on leading when the term alone was lost', async () => {
  await lead('c');
  await redis.del('k:leader-term');
  const term = await takeLead('c', 60_000);
  expect(term).toBeGreaterThan(0);
  expect(await takeLead('c', 60_000)).toBe(term);
  await redis.hset('k:run:ns:lost-later', 'state', 'waiting');
  expect(await repairRun(term, 'lost-later')).toEqual([1, 1]);
});
