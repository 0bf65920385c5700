import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DIST_DIR } from './support/run-fixture.js';

jest.setTimeout(150_000);

/** Runs one scenario of fixtures/manners.cjs in a process of its own. */
async function scenario<T>(name: string): Promise<T & { failures: string[] }> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--no-warnings', join(__dirname, 'fixtures', 'manners.cjs'), name],
    { env: { ...process.env, NODE_OPTIONS: '', DIST_DIR }, timeout: 120_000, maxBuffer: 64 * 1024 * 1024 },
  );
  return JSON.parse(stdout) as T & { failures: string[] };
}

describe('a ledger that is a guest', () => {
  it('keeps name, length, symbols and flags of all it wraps', async () => {
    const { changed, misshapen, promisified, failures } = await scenario<{
      changed: string[];
      misshapen: unknown[];
      promisified: boolean;
    }>('keeps names');
    expect(misshapen).toEqual([]);
    expect(failures).toEqual([]);
    expect(promisified).toBe(true);
    expect(changed).toEqual(
      expect.arrayContaining([
        'globalThis setTimeout',
        'node:timers setInterval',
        'net.Socket.prototype connect',
        'http.Agent.prototype addRequest',
        'Buffer from',
        'globalThis ArrayBuffer',
        'Redis.prototype setStatus',
      ]),
    );
  });

  it('leaves nothing behind when it is switched off, and counts afresh when it is switched on again', async () => {
    const { rounds, failures } = await scenario<{
      rounds: {
        left: string[];
        live: number;
        created: number;
        off: { kinds: unknown[]; ledger: { running: boolean } };
      }[];
    }>('leaves nothing');
    expect(failures).toEqual([]);
    expect(rounds.map(({ left }) => left)).toEqual([[], []]);
    expect(rounds.map(({ live }) => live)).toEqual([1, 1]);
    expect(rounds.map(({ created }) => created)).toEqual([rounds[0].created, rounds[0].created]);
    expect(rounds.map(({ off }) => [off.ledger.running, off.kinds])).toEqual([
      [false, []],
      [false, []],
    ]);
  });

  it('never throws into the application, though every hook fails', async () => {
    const { hooks, status, failures } = await scenario<{ hooks: string[]; status: { failuresCount: number } }>(
      'fails in every hook',
    );
    expect(failures).toEqual([]);
    expect(status.failuresCount).toBeGreaterThan(50);
    expect(hooks).toEqual(
      expect.arrayContaining([
        'after connect',
        'before _destroy',
        'net.server.socket',
        'after listen',
        'udp.socket',
        'timer',
        'addRequest',
        'child_process',
        'worker_threads',
        'after watch',
        'around open',
        'buffer',
        'warning',
        'load',
        'tick',
        'track',
      ]),
    );
  });

  it('counts on without stacks where none can be taken', async () => {
    const { failuresCount, failures } = await scenario<{ failuresCount: number }>('cannot take stacks');
    expect(failures).toEqual([]);
    expect(failuresCount).toBeGreaterThan(0);
  });

  it('counts once when it is loaded twice', async () => {
    const { seen, running } = await scenario<{ seen: { live: number; created: number }[]; running: boolean }>(
      'loaded twice',
    );
    expect(seen).toEqual([seen[0], seen[0]]);
    expect(seen[0]).toMatchObject({ live: 1, created: 1 });
    expect(running).toBe(false);
  });

  it('shows in no property of what it counts, not even of a frozen object', async () => {
    expect(await scenario('stays out of sight')).toMatchObject({
      keys: ['a'],
      shown: '{ a: 1 }',
      copied: ['a'],
      live: expect.arrayContaining([
        ['plain', 1],
        ['frozen', 1],
      ]) as unknown,
    });
  });

  it('keeps nothing alive for following it', async () => {
    const { collectedCount, followed } = await scenario<{ collectedCount: number; followed: unknown[] }>('lets go');
    expect(followed).toEqual([
      ['listener', 50 * 14],
      ['listener.target', 50 * 14],
    ]);
    // The last of each may still be on the stack.
    expect(collectedCount).toBeGreaterThanOrEqual(98);
  });

  it('counts no listener that a target has let go of or never took, and holds none', async () => {
    const { collectedCount, atPort, ...counts } = await scenario<{
      atWarning: number;
      afterTick: number;
      inEnd: [number, number];
      inPhases: [number, number];
      afterPhases: number;
      atPort: number;
      refusedCount: number;
      ofEmitter: [number, number];
      collectedCount: number;
    }>('forgets what a target forgot');
    expect(counts).toEqual({
      atWarning: 12,
      afterTick: 0,
      inEnd: [1, 1],
      inPhases: [15, 15],
      afterPhases: 1,
      refusedCount: 20,
      ofEmitter: [12, 12],
      failures: [],
    });
    // 12 stay, 200 came and went.
    expect(atPort).toBeLessThan(12 + 64 + 1);
    expect(collectedCount).toBeGreaterThanOrEqual(48);
  });

  it('keeps nothing alive that is closed by a method of its own, and gives it back', async () => {
    const { collectedCount, ...rest } = await scenario<{
      counts: { created: number; closed: number; live: number };
      collectedCount: number;
      wasWrapped: boolean;
      isAsMade: boolean;
    }>('lets go of what closes itself');
    expect(rest).toEqual({
      counts: { created: 51, closed: 50, live: 1 },
      wasWrapped: true,
      isAsMade: true,
      failures: [],
    });
    expect(collectedCount).toBeGreaterThanOrEqual(48);
  });

  it('gives single objects back as they were, those that were closed at once and the others as it stops', async () => {
    expect(await scenario('gives single objects back')).toEqual({
      names: ['own', 'release'],
      answer: 'released',
      onceReleased: true,
      live: 2,
      ofEmitters: 1,
      left: [[], []],
      listening: [0, 0],
      isAsBefore: [true, true],
      failures: [],
    });
  });

  it('counts the end of what is of a kind too many', async () => {
    const { open, ended, other } = await scenario<{ open: number; ended: number; other: number }>(
      'has more kinds than it tells apart',
    );
    expect({ open, ended }).toEqual({ open: 200, ended: 0 });
    expect(other).toBeGreaterThan(0);
  });

  it('counts a Buffer once, however many calls within Node it takes, and no view of memory that is there', async () => {
    const { made } = await scenario<{ made: Record<string, number> }>('counts buffers');
    expect(made).toEqual({
      alloc: 10,
      allocUnsafe: 10,
      concat: 10,
      'from a long string': 10,
      'from long base64': 10,
      'from a short string': 10,
      'from an array': 10,
      'from a Buffer': 10,
      'from an ArrayBuffer': 0,
      'from a part of a SharedArrayBuffer': 0,
    });
  });

  it('shows an instance of a class it counts the class that the library exports', async () => {
    expect(await scenario('shows one class')).toEqual({
      whileRunning: [],
      agents: 3,
      isBack: true,
      again: true,
      failures: [],
    });
  });

  it('counts no UDP socket whose signal had aborted before', async () => {
    expect(await scenario('closes as it is made')).toMatchObject({ before: 1, after: 0, failures: [] });
  });

  it('forgets what it put on an object as soon as that is taken off, however often', async () => {
    const { grownBytes, live } = await scenario<{ grownBytes: number; live: number }>(
      'tracks one object again and again',
    );
    expect(live).toBe(0);
    // 100,000 times.
    expect(grownBytes).toBeLessThan(6 * 1024 * 1024);
  });

  it('leaves an unhandled rejection unhandled', async () => {
    expect(await scenario('fires no rejection')).toMatchObject({ seen: ['ENOENT'] });
  });
});
