import { eventually } from '../support/eventually.js';
import { Service } from '../support/service.js';

it('a retry on another agent keeps to it when it has to wait for a place, whatever its job asks for between attempts', async () => {
  const service = await Service.start({ MAX_CONCURRENT_RUNS: '3', MAX_REQUESTS_PER_SECOND: '0' });
  try {
    const client = service.client({ requestTimeoutMs: 30_000 });
    const held: (() => void)[] = [];
    let isBroken = true;
    const handler = ({ job }: { job: { payload?: unknown } }) => {
      if (job.payload === 'blocker') return new Promise((resolve) => held.push(() => resolve('free')));
      if (isBroken) throw new Error('broken');
      return 'mended';
    };
    const one = await service.agent({ agentId: 'one', capacity: 20, handler });
    const failed: string[] = [];
    for (let count = 0; count < 6; count += 1) {
      const { runId } = await client.jobs.submit({
        job: { name: 'job' },
        retry: { maxAttempts: 1, onOtherAgent: false },
      });
      failed.push(runId);
    }
    for (const runId of failed)
      await eventually(async () => expect((await client.runs.get({ runId })).state).toBe('failed'));
    isBroken = false;
    const two = await service.agent({ agentId: 'two', capacity: 20, handler });
    await eventually(async () => expect((await client.system.stats({})).replicaCount).toBe(1));
    for (let count = 0; count < 3; count += 1) await client.jobs.submit({ job: { name: 'job', payload: 'blocker' } });
    await eventually(() => one.activeCount + two.activeCount === 3);

    const retried: string[] = [];
    for (const runId of failed) retried.push((await client.runs.retry({ runId, onOtherAgent: true })).runId);
    for (const runId of retried) expect((await client.runs.get({ runId })).state).toBe('waiting');
    for (const release of held) release();
    for (const runId of retried)
      await eventually(async () =>
        expect(await client.runs.get({ runId })).toMatchObject({ state: 'succeeded', agentId: 'two' }),
      );
  } finally {
    await service.stop();
  }
}, 60_000);
