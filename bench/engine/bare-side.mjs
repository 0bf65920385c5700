import { fileURLToPath } from 'node:url';
import { atOnce } from '../support/at-once.mjs';
import { Child } from '../support/child.mjs';
import { cpuMs } from '../support/cpu-time.mjs';
import { FramedPeer } from '../support/framed-peer.mjs';
import { RedisProcess } from '../support/redis-process.mjs';
import { jobOf } from './jobs.mjs';

const agentFile = fileURLToPath(new URL('agent.mjs', import.meta.url));
const serviceFile = fileURLToPath(new URL('bare-bullmq.mjs', import.meta.url));

/** Bare BullMQ with a Redis and an agent of its own. */
export class BareSide {
  constructor(redis, service, agent, peer) {
    this.redis = redis;
    this.service = service;
    this.agent = agent;
    this.peer = peer;
    this.name = peer === undefined ? 'bare BullMQ' : 'bare BullMQ behind bare net';
  }

  /**
   * @param {{concurrency: number, kept: number, hasWorker?: boolean, isServed?: boolean}} options isServed: jobs are submitted over TCP,
   * as to commander; else the service makes them itself
   */
  static async start({ concurrency, kept, hasWorker = true, isServed = false }) {
    const redis = await RedisProcess.start();
    const agent = await Child.start(agentFile);
    const service = await Child.start(serviceFile, {
      args: [
        `--redis=${redis.port}`,
        `--agent=${agent.ready.port}`,
        `--concurrency=${concurrency}`,
        `--kept=${kept}`,
        ...(hasWorker ? [] : ['--no-worker']),
        ...(isServed ? ['--serve'] : []),
      ],
    });
    const peer = isServed ? await FramedPeer.connect(service.ready.port) : undefined;
    return new BareSide(redis, service, agent, peer);
  }

  cpu() {
    return { service: cpuMs(this.service.pid), redis: cpuMs(this.redis.pid) };
  }

  submit(count, inFlight, delayMs) {
    if (this.peer !== undefined) {
      return atOnce(count, inFlight, (index) => this.peer.call('job.submit', { job: jobOf(index), delayMs }));
    }
    return this.service.ask({ ask: 'submit', count, inFlight, delayMs });
  }

  declare(count, timing) {
    return this.service.ask({ ask: 'declare', count, ...timing });
  }

  remove(count) {
    return this.service.ask({ ask: 'remove', count });
  }

  /** Jobs that have not ended. */
  async openCount() {
    return (await this.service.ask({ ask: 'openCount' })).count;
  }

  async stop() {
    this.peer?.close();
    await this.service.stop();
    await this.agent.stop();
    await this.redis.stop();
  }
}
