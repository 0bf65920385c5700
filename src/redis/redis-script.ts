import { createHash } from 'node:crypto';
import type { RedisClient } from './redis-client.js';

type Argument = string | number;

/**
 * A Lua script run by its hash, sent whole only when the server does not know it (after a restart, or on another node).
 * Every script reads the time with `redis.call('TIME')`: no clock of a replica ever decides.
 */
export class RedisScript<Reply> {
  private readonly sha1: string;

  /** @param name for log lines and errors @param lua body; KEYS and ARGV as usual */
  constructor(
    readonly name: string,
    private readonly lua: string,
  ) {
    this.sha1 = createHash('sha1').update(lua).digest('hex');
  }

  /** @throws ReplyError of the script, or whatever the connection fails with */
  async run(client: RedisClient, keys: readonly string[], args: readonly Argument[]): Promise<Reply> {
    try {
      return (await client.evalsha(this.sha1, keys.length, ...keys, ...args)) as Reply;
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return (await client.eval(this.lua, keys.length, ...keys, ...args)) as Reply;
    }
  }
}
