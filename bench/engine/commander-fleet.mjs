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

/** Several commanders that share a Redis and an agent; work is spread over them evenly. */
export class CommanderFleet {
  constructor(redis, commanders, agent, peers) {
    this.redis = redis;
    this.commanders = commanders;
    this.agent = agent;
    this.peers = peers;
    this.count = commanders.length;
    this.name = `${this.count} replicas`;
  }

  /** @param {number} count of replicas */
  static async start(count) {
    const redis = await RedisProcess.start();
    const env = { REDIS_URL: redis.url, TCP_PORT: '0', HTTP_PORT: '0', LOG_LEVEL: 'warn', MAX_CONCURRENT_RUNS: '200' };
    const start = () => Child.start(join(buildDirectory, 'main.js'), { env });
    const commanders = await Promise.all(Array.from({ length: count }, start));
    const ports = commanders.map(({ ready }) => ready.tcp.port);
    const agent = await Child.start(agentFile, { args: [`--commander=${ports[0]}`] });
    return new CommanderFleet(
      redis,
      commanders,
      agent,
      await Promise.all(ports.map((port) => FramedPeer.connect(port))),
    );
  }

  cpu() {
    const commanders = this.commanders.reduce((sum, { pid }) => sum + cpuMs(pid), 0);
    return { commanders, redis: cpuMs(this.redis.pid) };
  }

  submit(count, inFlight) {
    return this.#spread(count, inFlight, (peer, index) => peer.call('job.submit', { job: jobOf(index) }));
  }

  declare(count, timing) {
    const spec = (index) => ({ id: `site-${index}`, job: scheduledJobOf(index), ...timing });
    return this.#spread(count, 16, (peer, index) => peer.call('schedule.upsert', spec(index)));
  }

  remove(count) {
    return this.#spread(count, 16, (peer, index) => peer.call('schedule.remove', { id: `site-${index}` }));
  }

  /** Jobs that have not ended. */
  async openCount() {
    const members = await this.redis.client.zrange('{commander}:due', 0, -1);
    return members.filter((member) => member.startsWith('r|')).length;
  }

  /** Connections that Redis holds for the commanders. */
  async redisConnections() {
    const list = await this.redis.client.client('LIST');
    // The engine names its own with the prefix of its keys, which has braces.
    return list.split('\n').filter((line) => / name=\{?commander/.test(line)).length;
  }

  async stop() {
    for (const peer of this.peers) peer.close();
    await Promise.all(this.commanders.map((commander) => commander.stop()));
    await this.agent.stop();
    await this.redis.stop();
  }

  #spread(count, inFlight, work) {
    return atOnce(count, inFlight, (index) => work(this.peers[index % this.peers.length], index));
  }
}
