import { fileURLToPath } from 'node:url';
import { Child } from '../support/child.mjs';
import { cpuMs } from '../support/cpu-time.mjs';
import { RedisProcess } from '../support/redis-process.mjs';

const agentFile = fileURLToPath(new URL('agent.mjs', import.meta.url));
const serviceFile = fileURLToPath(new URL('bare-bullmq.mjs', import.meta.url));

/** Bare BullMQ with a Redis and an agent of its own. */
export class BareSide {
  name = 'bare BullMQ';

  constructor(redis, service, agent) {
    this.redis = redis;
    this.service = service;
    this.agent = agent;
  }

  /** @param {{concurrency: number, kept: number, hasWorker?: boolean}} options */
  static async start({ concurrency, kept, hasWorker = true }) {
    const redis = await RedisProcess.start();
    const agent = await Child.start(agentFile);
    const service = await Child.start(serviceFile, {
      args: [
        `--redis=${redis.port}`,
        `--agent=${agent.ready.port}`,
        `--concurrency=${concurrency}`,
        `--kept=${kept}`,
        ...(hasWorker ? [] : ['--no-worker']),
      ],
    });
    return new BareSide(redis, service, agent);
  }

  cpu() {
    return { service: cpuMs(this.service.pid), redis: cpuMs(this.redis.pid) };
  }

  submit(count, inFlight, delayMs) {
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
    await this.service.stop();
    await this.agent.stop();
    await this.redis.stop();
  }
}
