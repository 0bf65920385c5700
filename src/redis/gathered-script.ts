import type { RedisGate, RedisWait } from './redis-gate.js';
import { refusedByServer } from './redis-refusal.js';
import { RedisScript } from './redis-script.js';

/** What one command does at most: Redis serves others in between, and its length is bounded. */
const MAX_ITEMS = 64;
const MAX_CHARS = 262_144;
/** How long Redis may take for one command. */
const COMMAND_TIMEOUT_MS = 10_000;

/**
 * Tail of a gathered script: calls its Lua function `each(item)` for every item of ARGV[2]. One that fails, or that cannot be
 * read, does not hold back the others; but a server that is read-only says so for all of them, so that the client learns of it
 * and looks for the master. `each` returns a table.
 * @param atEnd Lua that is run once, behind the last item
 */
export const eachItemLua = (atEnd = '') => `
local replies = {}
local allFine, items = pcall(cjson.decode, ARGV[2])
if not allFine then
  -- One of them says what cjson does not read (half of a character): then each for itself, so that the others are done.
  items = {}
  for line in string.gmatch(ARGV[2], '{[^\\n]*}') do items[#items + 1] = line end
end
for i, item in ipairs(items) do
  local fine, reply = allFine, item
  if not allFine then fine, reply = pcall(cjson.decode, item) end
  if fine then fine, reply = pcall(each, reply) end
  if not fine then
    local failed = type(reply) == 'table' and reply.err or tostring(reply)
    if string.sub(failed, 1, 9) == 'READONLY ' then return redis.error_reply(failed) end
    reply = { failed = failed }
  end
  replies[i] = reply
end
${atEnd}
return cjson.encode(replies)
`;

interface Asked {
  text: string;
  resolve(reply: unknown): void;
  reject(error: unknown): void;
  /** Until when somebody waits for it, if not as long as the command may take. */
  wait: RedisWait | undefined;
}

/**
 * A script that does the same for many things: what is asked for within one turn of the loop becomes one command.
 * With hundreds of runs under way a command of its own for each step of each is most of what a run costs, here and in Redis.
 */
export class GatheredScript<Item extends object, Reply> {
  private readonly script: RedisScript<string>;
  private gathered: Asked[] = [];
  private gatheredChars = 0;
  private send: (() => void) | undefined;

  /**
   * @param gate through which the command goes
   * @param lua ends with {@link eachItemLua}; ARGV: the first of `args`, JSON of the items, the other `args`
   * @param args read when the command is sent
   */
  constructor(
    private readonly gate: RedisGate,
    name: string,
    lua: string,
    private readonly key: string,
    private readonly args: () => readonly [string, ...(string | number)[]],
  ) {
    this.script = new RedisScript<string>(name, lua);
  }

  /**
   * @param deadlineAt ms since the epoch by this process's clock, if it is sooner than ten seconds from now
   * @throws Error of the script for this item; CommandError UNAVAILABLE when Redis is away, or does not answer in ten seconds or by the deadline
   */
  run(item: Item, deadlineAt?: number): Promise<Reply> {
    if (deadlineAt !== undefined && !this.gate.isUsable) return this.gate.run(deadlineAt, () => this.run(item));
    return new Promise<Reply>((resolve, reject) => {
      const text = JSON.stringify(item);
      const wait = deadlineAt === undefined ? undefined : this.gate.wait(deadlineAt, reject);
      if (this.gathered.length >= MAX_ITEMS || this.gatheredChars + text.length > MAX_CHARS) this.send?.();
      if (this.send === undefined) {
        const send = () => {
          if (this.send === send) this.flush();
        };
        this.send = send;
        // After all that this turn of the loop has read, from whichever sockets: what it asks for goes along.
        setImmediate(send);
      }
      this.gathered.push({ text, resolve: resolve as Asked['resolve'], reject, wait });
      this.gatheredChars += text.length;
    });
  }

  private flush(): void {
    const asked = this.gathered;
    this.gathered = [];
    this.gatheredChars = 0;
    this.send = undefined;
    void this.exchange(asked);
  }

  private async exchange(asked: readonly Asked[]): Promise<void> {
    try {
      const [prefix, ...more] = this.args();
      // A line for each: JSON has no line break of its own, so the script can tell them apart without reading them.
      const items = `[${asked.map(({ text }) => text).join(',\n')}]`;
      const text = await this.gate.run(Date.now() + COMMAND_TIMEOUT_MS, (redis) =>
        this.script.run(redis, [this.key], [prefix, items, ...more]),
      );
      const replies = JSON.parse(text) as unknown[];
      asked.forEach(({ resolve, reject, wait }, index) => {
        if (wait !== undefined) this.gate.end(wait);
        const failed = (replies[index] as { failed?: string }).failed;
        if (failed === undefined) resolve(replies[index]);
        else reject(refusedByServer(new Error(failed)) ?? new Error(`${this.script.name}: ${failed}`));
      });
    } catch (error) {
      for (const { reject, wait } of asked) {
        if (wait !== undefined) this.gate.end(wait);
        reject(error);
      }
    }
  }
}
