// Bare BullMQ doing the same work: queue, job schedulers, and a worker whose processor calls the agent over TCP.
// --redis=port --agent=port --concurrency=n --kept=n (completed jobs kept); --no-worker: jobs only wait.
// --serve: takes submits over TCP, too, and answers each; nothing is checked.
import { createServer } from 'node:net';
import { once } from 'node:events';
import { atOnce } from '../support/at-once.mjs';
import { require } from '../support/build.mjs';
import { serveParent } from '../support/child.mjs';
import { numberFlag } from '../support/flags.mjs';
import { FramedPeer, packetWriter, readFrames } from '../support/framed-peer.mjs';
import { jobOf, scheduledJobOf } from './jobs.mjs';

const { Queue, Worker } = require('bullmq');

const connection = { host: '127.0.0.1', port: numberFlag('redis') };
const queue = new Queue('bench', {
  connection,
  defaultJobOptions: { removeOnComplete: { count: numberFlag('kept') }, removeOnFail: { count: numberFlag('kept') } },
});

if (!process.argv.includes('--no-worker')) {
  const agent = await FramedPeer.connect(numberFlag('agent'));
  const process_ = async (job) => {
    // repeat:<scheduler>:<due time>
    const tickAt = job.repeatJobKey === undefined ? undefined : Number(job.id.slice(job.id.lastIndexOf(':') + 1));
    const reply = await agent.call('agent.execute', {
      runId: job.id,
      job: { name: job.name, payload: job.data },
      attempt: 1,
      epoch: 1,
      idempotencyKey: job.id,
      deadlineMs: 30_000,
      ...(tickAt === undefined ? {} : { scheduleId: job.repeatJobKey, tickAt }),
    });
    return reply.result;
  };
  const worker = new Worker('bench', process_, { connection, concurrency: numberFlag('concurrency') });
  worker.on('error', (error) => console.error(error));
  await worker.waitUntilReady();
}
await queue.waitUntilReady();

const add = ({ name, payload }, delayMs) => queue.add(name, payload, delayMs === undefined ? {} : { delay: delayMs });

/** @returns the port on which submits are taken */
async function serve() {
  const server = createServer({ noDelay: true }, (socket) => {
    const write = packetWriter(socket);
    socket.on('error', () => {});
    readFrames(socket, async ({ id, data }) => {
      const { id: runId } = await add(data.job, data.delayMs);
      write({ id, response: { runId, deduplicated: false }, isDisposed: true });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server.address().port;
}

serveParent(process.argv.includes('--serve') ? { port: await serve() } : {}, {
  submit: ({ count, inFlight, delayMs }) => atOnce(count, inFlight, (index) => add(jobOf(index), delayMs)),
  declare: ({ count, cron, everyMs }) =>
    atOnce(count, 16, async (index) => {
      const { name, payload } = scheduledJobOf(index);
      const repeat = cron === undefined ? { every: everyMs } : { pattern: cron, tz: 'UTC' };
      await queue.upsertJobScheduler(`site-${index}`, repeat, { name, data: payload });
    }),
  remove: ({ count }) => atOnce(count, 16, (index) => queue.removeJobScheduler(`site-${index}`)),
  openCount: async () => ({ count: await queue.getJobCountByTypes('waiting', 'active', 'delayed', 'prioritized') }),
});
