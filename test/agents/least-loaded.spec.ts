import fc from 'fast-check';
import { Redis } from 'ioredis';
import { acquireLua, type PlaceQuery } from '../../src/agents/acquire.lua.js';
import { RedisServer } from '../support/redis-server.js';

/** An agent as its record in Redis has it, and where it stands among the candidates. */
interface Candidate {
  capacity: number;
  taken: number;
  isDraining: boolean;
  isDown: boolean;
  isEjected: boolean;
  /** Places of one that comes back after an ejection; 0: it was not ejected lately. */
  returnPlaces: number;
  tier: number;
}

const candidate: fc.Arbitrary<Candidate> = fc.record({
  capacity: fc.integer({ min: 1, max: 4 }),
  taken: fc.integer({ min: 0, max: 4 }),
  isDraining: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  isDown: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  isEjected: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  returnPlaces: fc.oneof(
    { weight: 3, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 3 }) },
  ),
  tier: fc.integer({ min: 1, max: 5 }),
});
const fleet = fc
  .array(candidate, { minLength: 1, maxLength: 12 })
  .map((all) => [...all].sort((a, b) => a.tier - b.tier));

const AGENTS = '{t}:agents:default';
const PREFIX = '{t}:agent:default';

let server: RedisServer;
let redis: Redis;
beforeAll(async () => {
  server = await RedisServer.start();
  redis = new Redis(server.url);
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

/** Who must be chosen, by a look at every candidate: of the lowest tier with a free place the least loaded, ties from `turn` on. */
function leastLoaded(candidates: readonly Candidate[], turn: number): string | undefined {
  for (const tier of [1, 2, 3, 4, 5]) {
    const ofTier = candidates.flatMap((one, at) => (one.tier === tier ? [{ ...one, at }] : []));
    const inTurn = ofTier.map((_one, at) => ofTier[(at + turn) % ofTier.length]!);
    const free = inTurn.flatMap(({ at, ...one }) => {
      const places = placesOf(one);
      return one.taken < places ? [{ id: `agent-${at}`, load: one.taken / places }] : [];
    });
    const least = Math.min(...free.map(({ load }) => load));
    const chosen = free.find(({ load }) => load === least);
    if (chosen !== undefined) return chosen.id;
  }
  return undefined;
}

function placesOf({ capacity, isDraining, isDown, isEjected, returnPlaces, tier }: Candidate): number {
  if (isDraining || isDown) return 0;
  if (isEjected) return tier >= 4 ? 1 : 0;
  return returnPlaces > 0 ? Math.min(capacity, returnPlaces) : capacity;
}

async function write(candidates: readonly Candidate[], turn: number): Promise<void> {
  const now = Date.now();
  const pipeline = redis.pipeline().flushall();
  pipeline.hset('{t}:turns', '7', turn);
  for (const [at, one] of candidates.entries()) {
    const key = `${PREFIX}:agent-${at}`;
    pipeline.zadd(AGENTS, one.isDown ? now - 1_000 : now + 60_000, `agent-${at}`);
    pipeline.hset(key, {
      ...{ capacity: one.capacity, draining: one.isDraining ? 1 : 0, suspectUntil: one.isEjected ? now + 60_000 : 0 },
      ...{ ejections: one.returnPlaces > 0 ? 1 : 0, returnPlaces: one.returnPlaces },
      ...{ host: 'here', port: 1, instanceEpoch: 1 },
    });
    for (let place = 0; place < one.taken; place += 1) pipeline.zadd(`${key}:places`, now + 60_000, `other-${place}#1`);
  }
  await pipeline.exec();
}

it('chooses whom a look at every agent would choose', async () => {
  let chosenCount = 0;
  await fc.assert(
    fc.asyncProperty(fleet, fc.integer({ min: 0, max: 30 }), async (candidates, turn) => {
      await write(candidates, turn);
      const query: PlaceQuery = {
        ...{ agents: AGENTS, turns: '{t}:turns', prefix: PREFIX, place: 'run#1', leaseMs: 10_000 },
        ...{ order: 'least-loaded', bucket: '7', returnPlaces: 1 },
        candidates: candidates.flatMap(({ tier }, at) => [tier, `agent-${at}`]),
      };
      const [outcome, id] = (await redis.eval(acquireLua, 1, AGENTS, JSON.stringify(query))) as string[];
      const expected = leastLoaded(candidates, turn);
      expect(outcome === 'taken' ? id : undefined).toBe(expected);
      if (expected !== undefined) chosenCount += 1;
    }),
    { numRuns: 400 },
  );
  expect(chosenCount).toBeGreaterThan(100);
});
