import fc from 'fast-check';
import { commands } from '../../src/contract/commands.js';
import { eventually } from '../support/eventually.js';
import { forceGc } from '../support/force-gc';
import { frame, TcpPeer } from '../support/tcp-peer.js';
import { CommandApp } from './command-app.js';

/** `FUZZ_FRAMES=10000000 npx jest test/transport/fuzz` for a long run. */
const FRAMES_COUNT = Number(process.env.FUZZ_FRAMES ?? 100_000);
/** Runs that found something once, and the first one: they come before the new ones. */
const KEPT_SEEDS = [20_261_126];
const seed = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31));
const FRAMES_PER_RUN = 60;
const MAX_GROWTH_BYTES = 12 * 2 ** 20;
/** ms for a thousand frames on a busy machine. */
const PATIENCE_MS = 4_000;

const collectGarbage = forceGc();

/** What goes over the wire, and what must come of it. */
interface Item {
  bytes: Buffer;
  /** The id whose answer is due; undefined: none may come. */
  id?: string | number;
  /** The connection must end here. */
  isFatal: boolean;
}

const anyJson = fc.jsonValue({ maxDepth: 3, stringUnit: 'binary', depthSize: 'small' });
const patterns = fc.oneof(fc.constantFrom(...Object.keys(commands)), fc.string({ unit: 'binary' }), anyJson);
const ids = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 100 }),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
/** Fields that the schemas know, with anything in them: further in than pure chance gets. */
const nearlyRight = fc.record(
  {
    id: fc.oneof(fc.constantFrom('a', 'nothing', 'stream', 'defect', 'cyclic'), anyJson),
    agentId: anyJson,
    limit: fc.oneof(fc.integer({ min: -2, max: 20 }), anyJson),
    job: fc.oneof(fc.record({ name: fc.constant('x'), payload: anyJson }), anyJson),
    deadlineMs: fc.oneof(fc.integer({ min: -1, max: 50 }), anyJson),
    namespace: fc.oneof(fc.constant('default'), anyJson),
    tags: anyJson,
    ['__proto__']: anyJson,
  },
  { requiredKeys: [] },
);
const request: fc.Arbitrary<Item> = fc
  .record({
    pattern: patterns,
    data: fc.oneof(nearlyRight, anyJson),
    rest: fc.dictionary(fc.string(), anyJson, { maxKeys: 2 }),
    id: ids,
  })
  .map(({ pattern, data, rest, id }) => {
    const json = JSON.stringify({ ...rest, id, pattern, data });
    return { bytes: Buffer.from(frame(json)), id: (JSON.parse(json) as { id: string | number }).id, isFatal: false };
  });
const event: fc.Arbitrary<Item> = fc
  .record({ pattern: patterns, data: anyJson })
  .map((packet) => ({ bytes: Buffer.from(frame(JSON.stringify(packet))), isFatal: false }));
const noPacket: fc.Arbitrary<Item> = fc
  .oneof(
    anyJson
      .filter((value) => typeof value !== 'object' || value === null || Array.isArray(value))
      .map((value) => frame(JSON.stringify(value))),
    fc
      .string({ unit: 'binary' })
      .filter((text) => !isJson(text))
      .map(frame),
    fc.string({ unit: 'binary', minLength: 1 }).filter((text) => /^(\d*[^\d#]|#)/.test(text) && !/^\d*$/.test(text)),
    fc.integer({ min: 131_073, max: 2 ** 52 }).map((length) => `${length}#`),
    anyJson
      .filter((id) => id !== undefined && typeof id !== 'string' && typeof id !== 'number')
      .map((id) => frame(JSON.stringify({ id, pattern: 'system.health' }))),
  )
  .map((text) => ({ bytes: Buffer.from(text), isFatal: true }));

/** One connection's worth: good and bad requests, then perhaps something that ends it. */
const conversation = fc.record({
  items: fc.array(fc.oneof({ weight: 8, arbitrary: request }, { weight: 1, arbitrary: event }), {
    minLength: 1,
    maxLength: 2 * FRAMES_PER_RUN,
    size: 'max',
  }),
  end: fc.option(noPacket, { freq: 3 }),
  cuts: fc.array(fc.integer({ min: 1, max: 3_000 }), { minLength: 1, maxLength: 20 }),
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('whatever is sent', () => {
  let commandApp: CommandApp;
  let honest: TcpPeer;
  let framesCount = 0;

  beforeAll(async () => {
    commandApp = await CommandApp.start({
      maxInFlightCommands: 100_000,
      maxRequestsPerSecond: 0,
      commandTimeoutMs: 20,
    });
    honest = await commandApp.peer();
  });
  afterAll(() => commandApp.close());

  async function hold({
    items,
    end,
    cuts,
  }: typeof conversation extends fc.Arbitrary<infer T> ? T : never): Promise<void> {
    const peer = await TcpPeer.connect(commandApp.server.address());
    const bytes = Buffer.concat([...items, ...(end === null ? [] : [end])].map((item) => item.bytes));
    for (let at = 0, i = 0; at < bytes.length; i++) {
      const size = cuts[i % cuts.length];
      peer.write(bytes.subarray(at, at + size));
      at += size;
      if (i % 7 === 0) await new Promise(setImmediate);
    }
    framesCount += items.length;
    const due = items.flatMap(({ id }) => (id === undefined ? [] : [id]));
    if (end === null) {
      await eventually(() => peer.replies.length >= due.length || peer.isClosed, { intervalMs: 2 });
      await peer.close();
      // Each valid request has its one answer.
      expect(sorted(peer.replies.map(({ id }) => id))).toEqual(sorted(due));
    } else {
      await peer.closed();
      const left = [...due];
      for (const { id } of peer.replies) {
        const at = left.findIndex((one) => Object.is(one, id));
        expect({ id, isDue: at !== -1 }).toEqual({ id, isDue: true });
        left.splice(at, 1);
      }
    }
    for (const { err, response } of peer.replies) expect((err === undefined) !== (response === undefined)).toBe(true);
    expect(peer.replies.filter(({ err }) => err?.code === 'INTERNAL' && err.message !== 'internal error')).toEqual([]);
    commandApp.witness.release();
    commandApp.witness.calls.length = 0;
    commandApp.witness.contexts.length = 0;
  }

  it.each([...KEPT_SEEDS.map((kept) => [kept, FRAMES_COUNT / 10] as const), [seed, FRAMES_COUNT] as const])(
    'seed %i: %i frames leave nothing behind, and who behaves is answered',
    async (usedSeed, count) => {
      framesCount = 0;
      let heapAtRest: number | undefined;
      const runsCount = Math.ceil(count / FRAMES_PER_RUN);
      let done = 0;
      await fc.assert(
        fc.asyncProperty(conversation, async (said) => {
          await hold(said);
          if (++done % 50 === 0) expect(await honest.code('system.health')).toBe('OK');
          if (heapAtRest === undefined && done > runsCount / 4) heapAtRest = heapBytes();
        }),
        { seed: usedSeed, numRuns: runsCount, endOnFailure: false },
      );
      await eventually(() =>
        expect(commandApp.server.stats()).toMatchObject({
          ...{
            tcpCount: 1,
            inFlightCount: 0,
            inFlightBytes: 0,
            overdueHandlersCount: 0,
            unreadLength: 0,
            unsentBytes: 0,
          },
        }),
      );
      expect(framesCount).toBeGreaterThan(count / 4);
      expect(heapBytes() - heapAtRest!).toBeLessThan(MAX_GROWTH_BYTES);
    },
    60_000 + (FRAMES_COUNT / 1_000) * PATIENCE_MS,
  );

  function heapBytes(): number {
    honest.replies.length = 0;
    collectGarbage();
    return process.memoryUsage().heapUsed;
  }
});

function sorted(ids: (string | number)[]): string[] {
  return ids.map((id) => `${typeof id} ${id}`).sort();
}
