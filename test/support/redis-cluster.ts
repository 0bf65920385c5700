import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { eventually } from './eventually.js';
import { hasReplicated } from './replication.js';
import { RedisServer } from './redis-server.js';

const run = promisify(execFile);
const MASTERS = 3;

/** A Redis Cluster of three masters, each with a replica where one is asked for. Give commander `env`. */
export class RedisCluster {
  private constructor(readonly nodes: readonly RedisServer[]) {}

  /** Resolves when every node says that the cluster is whole. */
  static async start({ replicasPerMaster = 0 } = {}): Promise<RedisCluster> {
    const count = MASTERS * (1 + replicasPerMaster);
    const args = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000', '--repl-diskless-sync-delay', '0'];
    const nodes = await Promise.all(Array.from({ length: count }, () => RedisServer.start({ args })));
    const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
    const options = ['--cluster-replicas', String(replicasPerMaster), '--cluster-yes'];
    await run('redis-cli', ['--cluster', 'create', ...addresses, ...options], { timeout: 60_000 });
    const cluster = new RedisCluster(nodes);
    await Promise.all(nodes.map((node) => cluster.whole(node)));
    if (replicasPerMaster > 0) await cluster.replicated();
    return cluster;
  }

  /** Settings with which commander finds the cluster: two of its nodes are enough. */
  get env(): Record<string, string> {
    const known = this.nodes.slice(0, 2).map(({ port }) => `127.0.0.1:${port}`);
    return { REDIS_MODE: 'cluster', REDIS_NODES: known.join(',') };
  }

  /** The master that holds the slot of a key. */
  async masterOf(key: string): Promise<RedisServer> {
    const slot = Number(await this.nodes[0]!.cli('CLUSTER', 'KEYSLOT', key));
    const lines = (await this.nodes[0]!.cli('CLUSTER', 'NODES')).split('\n');
    const port = lines.flatMap((line) => {
      const [, address = '', flags = '', , , , , , ...ranges] = line.split(' ');
      const isOwner = ranges.some((range) => {
        const [from, to = from] = range.split('-').map(Number);
        return from! <= slot && slot <= to!;
      });
      return flags.includes('master') && isOwner ? [Number(/:(\d+)@/.exec(address)?.[1])] : [];
    })[0];
    const master = this.nodes.find((node) => node.port === port);
    if (master === undefined) throw new Error(`no node holds slot ${slot}`);
    return master;
  }

  /** Resolves when the replica of the master that holds the slot of a key knows all that the master had been told by now. */
  async replicatedKey(key: string): Promise<void> {
    await hasReplicated(await this.masterOf(key));
  }

  /** Kills the master that holds the slot of a key; resolves when its replica has taken its place. */
  async failOver(key: string): Promise<void> {
    const master = await this.masterOf(key);
    const observer = this.nodes.find((node) => node !== master)!;
    await master.kill();
    const isReplaced = async () => {
      const info = await observer.cli('CLUSTER', 'NODES');
      const gone = info.split('\n').find((line) => line.includes(`:${master.port}@`));
      return / (master|slave),fail /.test(gone ?? '') && !/ \d+-\d+$/.test(gone ?? '');
    };
    await eventually(isReplaced, { timeoutMs: 60_000, what: 'a replica that took over' });
    await this.whole(observer);
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
  }

  private async whole(node: RedisServer): Promise<void> {
    const isWhole = async () => (await node.cli('CLUSTER', 'INFO')).includes('cluster_state:ok');
    await eventually(isWhole, { timeoutMs: 60_000, what: 'a cluster that is whole' });
  }

  private async replicated(): Promise<void> {
    for (const node of this.nodes) {
      const isInStep = async () => /role:master|master_link_status:up/.test(await node.cli('INFO', 'replication'));
      await eventually(isInStep, { timeoutMs: 60_000, what: 'a replica in step' });
    }
  }
}
