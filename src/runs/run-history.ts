import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS } from '../config/config.module.js';
import type { Settings } from '../config/settings.js';
import type { CommandReply, CommandRequest } from '../contract/commands.js';
import { CommandError } from '../contract/command-error.js';
import { BrokenRecordError } from '../redis/broken-record.error.js';
import type { RedisClient } from '../redis/redis-client.js';
import { RedisKeys } from '../redis/redis-keys.js';
import { pageBytesOf, VIEW_OVERHEAD_BYTES } from './page-bytes.js';
import { readRun } from './run-reader.js';
import { type RunRecord, runView } from './run.record.js';

/** Runs read for one page at most; a rare state in a long history answers with a short page and a cursor. */
const MAX_SCANNED = 1_000;
const BATCH_COUNT = 50;

interface Entry {
  id: string;
  createdAt: number;
}

/** Reads runs back, newest first. */
@Injectable()
export class RunHistory {
  constructor(
    private readonly keys: RedisKeys,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  /** @throws CommandError INVALID_ARGUMENT for a cursor that no page gave */
  async list(redis: RedisClient, request: CommandRequest<'run.list'>): Promise<CommandReply<'run.list'>> {
    const { namespace, scheduleId, limit, since = 0 } = request;
    const index = request.deadLettersOnly
      ? this.keys.key('dead', namespace)
      : scheduleId === undefined
        ? this.keys.key('runs', namespace)
        : this.keys.key('runs-of', namespace, scheduleId);
    const items: CommandReply<'run.list'>['items'] = [];
    const broken: NonNullable<CommandReply<'run.list'>['broken']> = [];
    const page = (nextCursor?: string) => ({
      items,
      ...(broken.length === 0 ? {} : { broken }),
      ...(nextCursor === undefined ? {} : { nextCursor }),
    });
    let rank = request.cursor === undefined ? 0 : await rankAfter(redis, index, parseCursor(request.cursor));
    let last: Entry | undefined;
    let bytes = 0;
    const pageBytes = pageBytesOf(this.settings);
    for (let scanned = 0; scanned < MAX_SCANNED; scanned += BATCH_COUNT) {
      const entries = await readEntries(redis, index, rank);
      const runs = await this.readRuns(redis, namespace, index, entries);
      for (const [at, entry] of entries.entries()) {
        if (entry.createdAt < since) return page();
        const run = runs[at];
        if (run instanceof BrokenRecordError) broken.push({ runId: run.id, why: run.why });
        else if (run !== undefined && matches(run, request)) {
          bytes += run.bytes + VIEW_OVERHEAD_BYTES;
          if (bytes > pageBytes && items.length > 0) return page(cursorOf(last as Entry));
          const view = viewOf(run);
          if (view instanceof BrokenRecordError) broken.push({ runId: run.runId, why: view.why });
          else items.push(view);
        }
        last = entry;
        if (items.length + broken.length === limit) return page(cursorOf(entry));
      }
      if (entries.length < BATCH_COUNT) return page();
      // Those that were taken out of the index moved the rest up.
      rank += runs.filter((run) => run !== undefined).length;
    }
    return page(last && cursorOf(last));
  }

  private async readRuns(
    redis: RedisClient,
    namespace: string,
    index: string,
    entries: readonly Entry[],
  ): Promise<(RunRecord | BrokenRecordError | undefined)[]> {
    const runs = await Promise.all(entries.map(({ id }) => readRun(redis, this.keys.key('run', namespace, id), id)));
    const forgotten = entries.filter((_entry, at) => runs[at] === undefined).map(({ id }) => id);
    if (forgotten.length > 0) {
      // From both or neither: by their difference the reconciler knows how many have not ended.
      const indexes = index === this.keys.key('runs', namespace) ? [index, this.keys.key('ended', namespace)] : [index];
      await Promise.all(indexes.map((key) => redis.zrem(key, ...forgotten)));
    }
    return runs;
  }
}

function viewOf(run: RunRecord): CommandReply<'run.list'>['items'][number] | BrokenRecordError {
  try {
    return runView(run);
  } catch (error) {
    if (error instanceof BrokenRecordError) return error;
    throw error;
  }
}

async function readEntries(redis: RedisClient, index: string, rank: number): Promise<Entry[]> {
  const flat = await redis.zrevrange(index, rank, rank + BATCH_COUNT - 1, 'WITHSCORES');
  const entries: Entry[] = [];
  for (let at = 0; at < flat.length; at += 2) entries.push({ id: flat[at], createdAt: Number(flat[at + 1]) });
  return entries;
}

/** Where the next page begins: behind the cursor's run or, when that one was forgotten, behind its time. */
async function rankAfter(redis: RedisClient, index: string, { id, createdAt }: Entry): Promise<number> {
  const rank = await redis.zrevrank(index, id);
  return rank === null ? redis.zcount(index, createdAt, '+inf') : rank + 1;
}

function cursorOf({ id, createdAt }: Entry): string {
  return `${createdAt}~${id}`;
}

function parseCursor(cursor: string): Entry {
  const [, createdAt, id] = /^(\d{1,15})~(.+)$/.exec(cursor) ?? [];
  if (id === undefined) throw new CommandError('INVALID_ARGUMENT', 'cursor: not one that a page gave');
  return { id, createdAt: Number(createdAt) };
}

function matches(run: RunRecord, { state, agentId, scheduleId, since = 0 }: CommandRequest<'run.list'>): boolean {
  // The dead letters of all schedules are one index, by when they ended.
  if (run.createdAt < since || (scheduleId !== undefined && run.scheduleId !== scheduleId)) return false;
  return (state === undefined || run.state === state) && (agentId === undefined || run.agentId === agentId);
}
