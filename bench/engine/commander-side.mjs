import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { atOnce } from '../support/at-once.mjs';
import { buildDirectory } from '../support/build.mjs';
import { Child } from '../support/child.mjs';
import { cpuMs } from '../support/cpu-time.mjs';
import { FramedPeer } from '../support/framed-peer.mjs';
import { RedisProcess } from '../support/redis-process.mjs';
import { jobOf, scheduledJobOf } from './jobs.mjs';

const agentFile = fileURLToPath(new URL('agent.mjs', import.meta.url));

/** Commander with a Redis and an agent of its own. */
export class CommanderSide {
  name = 'commander';

  constructor(redis, service, agent, peer) {
    this.redis = redis;
    this.service = service;
    this.agent = agent;
    this.peer = peer;
  }

  /** @param {{concurrency: number, kept: number, isHolding?: boolean, keptPerSchedule?: number, nodeArgs?: string[]}} options */
  static async start({ concurrency, kept, keptPerSchedule = 200, isHolding = false, nodeArgs }) {
    const redis = await RedisProcess.start();
    const service = await Child.start(join(buildDirectory, 'main.js'), {
      nodeArgs,
      env: {
        REDIS_URL: redis.url,
        TCP_PORT: '0',
        HTTP_PORT: '0',
        LOG_LEVEL: 'warn',
        // One connection asks for everything.
        MAX_REQUESTS_PER_SECOND: '0',
        MAX_CONCURRENT_RUNS: String(concurrency),
        RUNS_KEPT_PER_NAMESPACE: String(kept),
        RUNS_KEPT_PER_SCHEDULE: String(keptPerSchedule),
      },
    });
    const { port } = service.ready.tcp;
    const args = [`--commander=${port}`, ...(isHolding ? ['--hold'] : [])];
    const agent = await Child.start(agentFile, { args });
    return new CommanderSide(redis, service, agent, await FramedPeer.connect(port));
  }

  cpu() {
    return { service: cpuMs(this.service.pid), redis: cpuMs(this.redis.pid) };
  }

  submit(count, inFlight, delayMs) {
    return atOnce(count, inFlight, (index) =>
      this.peer.call('job.submit', { job: jobOf(index), ...(delayMs === undefined ? {} : { delayMs }) }),
    );
  }

  declare(count, timing) {
    return atOnce(count, 16, (index) =>
      this.peer.call('schedule.upsert', { id: `site-${index}`, job: scheduledJobOf(index), ...timing }),
    );
  }

  remove(count) {
    return atOnce(count, 16, (index) => this.peer.call('schedule.remove', { id: `site-${index}` }));
  }

  /** Jobs that have not ended. */
  async openCount() {
    const members = await this.redis.client.zrange('{commander}:due', 0, -1);
    return members.filter((member) => member.startsWith('r|')).length;
  }

  async stop() {
    this.peer.close();
    await this.service.stop();
    await this.agent.stop();
    await this.redis.stop();
  }
}
