import type { HandedRun } from '../../src/runs/engine-job.js';
import { newRun } from '../../src/runs/run.record.js';
import { WaitingRuns } from '../../src/runs/waiting-runs.js';
import { eventually } from '../support/eventually.js';

function run(runId: string, more: { priority?: number; bytes?: number } = {}): HandedRun {
  const spec = { job: { name: 'job' }, route: { strategy: 'random' }, retry: {}, timeoutMs: 1 } as never;
  const record = newRun({ namespace: 'n', runId, spec, failedAgentIds: [] }, 0, 'x'.repeat(more.bytes ?? 1));
  return { namespace: 'n', runId, enqueues: 1, priority: more.priority, record };
}

const idsOf = (runs: readonly HandedRun[]) => runs.map(({ runId }) => runId);

describe('runs that wait for a place', () => {
  let overdue: HandedRun[];
  let areOthers: boolean;
  let waiting: WaitingRuns;
  beforeEach(() => {
    overdue = [];
    areOthers = true;
    const limits = { count: 4, bytes: 100 };
    waiting = new WaitingRuns(
      limits,
      () => areOthers,
      (runs) => overdue.push(...runs),
    );
  });
  afterEach(() => waiting.close());

  it('begin by priority, then in the order of arrival', () => {
    waiting.add([run('later', { priority: 5 }), run('first'), run('second'), run('before', { priority: 1 })]);
    const order = [waiting.next(), waiting.next(), waiting.next(), waiting.next(), waiting.next()];
    expect(order.map((one) => one?.runId)).toEqual(['first', 'second', 'before', 'later', undefined]);
  });

  it('are as many as may wait; the others are given back in order', () => {
    expect(idsOf(waiting.add(['a', 'b', 'c', 'd', 'e', 'f'].map((id) => run(id))))).toEqual(['e', 'f']);
    expect(waiting.count).toBe(4);
    waiting.next();
    expect(waiting.add([run('g')])).toEqual([]);
  });

  it('hold no more bytes than they may, and room comes back with each that begins', () => {
    expect(idsOf(waiting.add([run('a', { bytes: 60 }), run('b', { bytes: 60 })]))).toEqual(['b']);
    expect(waiting.next()?.runId).toBe('a');
    expect(waiting.add([run('b', { bytes: 60 })])).toEqual([]);
  });

  it('go to others when no place comes free', async () => {
    waiting.add([run('a'), run('b')]);
    await eventually(() => overdue.length === 2);
    expect(idsOf(overdue)).toEqual(['a', 'b']);
    expect(waiting.count).toBe(0);
  });

  it('stay where there are no others, until there are', async () => {
    areOthers = false;
    waiting.add([run('a')]);
    // Longer than the wait after which it would have gone.
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(overdue).toEqual([]);
    areOthers = true;
    await eventually(() => overdue.length === 1);
  });

  it('are handed on by the close, and none is taken after it', () => {
    waiting.add([run('a')]);
    waiting.close();
    expect(idsOf(overdue)).toEqual(['a']);
    expect(idsOf(waiting.add([run('b')]))).toEqual(['b']);
  });

  it('keep their order over many', () => {
    const many = new WaitingRuns(
      { count: 1_000, bytes: 10_000 },
      () => true,
      () => undefined,
    );
    const ids = Array.from({ length: 500 }, (_, index) => `run-${index}`);
    const begun: string[] = [];
    for (const id of ids) {
      many.add([run(id)]);
      if (many.count > 50) begun.push(many.next()!.runId);
    }
    while (many.count > 0) begun.push(many.next()!.runId);
    expect(begun).toEqual(ids);
    many.close();
  });
});
