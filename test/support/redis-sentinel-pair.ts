import { eventually } from './eventually.js';
import { hasReplicated } from './replication.js';
import { RedisServer } from './redis-server.js';

const NAME = 'main';

/** A master, its replica and a sentinel that watches both and fails over after a second. Give commander `env`. */
export class RedisSentinelPair {
  private constructor(
    readonly master: RedisServer,
    readonly replica: RedisServer,
    readonly sentinel: RedisServer,
    private readonly password: string | undefined,
  ) {}

  /** Resolves when the replica follows and the sentinel knows it. */
  static async start({ password }: { password?: string } = {}): Promise<RedisSentinelPair> {
    const auth = password === undefined ? [] : ['--masterauth', password];
    const master = await RedisServer.start({ password, args: auth });
    const replica = await RedisServer.start({
      password,
      args: [...auth, '--replicaof', `127.0.0.1 ${master.port}`, '--repl-diskless-sync-delay', '0'],
    });
    const sentinel = await RedisServer.start({
      sentinel: [
        `sentinel monitor ${NAME} 127.0.0.1 ${master.port} 1`,
        ...(password === undefined ? [] : [`sentinel auth-pass ${NAME} ${password}`]),
        `sentinel down-after-milliseconds ${NAME} 1000`,
        `sentinel failover-timeout ${NAME} 5000`,
      ],
    });
    const pair = new RedisSentinelPair(master, replica, sentinel, password);
    const known = async () => (await sentinel.cli('SENTINEL', 'replicas', NAME)).includes(String(replica.port));
    await eventually(known, { timeoutMs: 30_000, what: 'a sentinel that knows the replica' });
    await pair.replicated();
    return pair;
  }

  /** Settings with which commander finds the master. */
  get env(): Record<string, string> {
    return {
      REDIS_MODE: 'sentinel',
      REDIS_NODES: `127.0.0.1:${this.sentinel.port}`,
      REDIS_SENTINEL_NAME: NAME,
      ...(this.password === undefined ? {} : { REDIS_URL: `redis://:${this.password}@sentinels` }),
    };
  }

  /** Resolves when the replica knows all that the master had been told by now. */
  async replicated(): Promise<void> {
    await hasReplicated(this.master);
  }

  /** Kills the master; resolves when the replica has taken its place. */
  async failOver(): Promise<void> {
    await this.master.kill();
    const isMaster = async () => (await this.replica.cli('INFO', 'replication')).includes('role:master');
    await eventually(isMaster, { timeoutMs: 30_000, what: 'a replica that took over' });
  }

  async stop(): Promise<void> {
    await Promise.all([this.sentinel, this.replica, this.master].map((server) => server.stop()));
  }
}
