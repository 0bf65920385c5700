import { Injectable } from '@nestjs/common';
import { CommandError } from '../contract/command-error.js';
import type { CommandReply, CommandRequest } from '../contract/commands.js';
import type { RedisClient } from '../redis/redis-client.js';
import { BrokenRecordError } from '../redis/broken-record.error.js';
import { remainsOf } from './schedule.record.js';
import { ScheduleDeclaration } from './schedule-declaration.js';
import { ScheduleStore } from './schedule-store.js';

const BATCH_COUNT = 100;

/** Makes an owner's set of schedules what the owner declares it to be. */
@Injectable()
export class ScheduleSync {
  constructor(
    private readonly store: ScheduleStore,
    private readonly declaration: ScheduleDeclaration,
  ) {}

  /**
   * Everything is checked before anything is stored. An unchanged schedule is not touched, so no pending or overdue tick
   * of it moves; repeating the command after a failure finishes what it began.
   * @throws CommandError INVALID_ARGUMENT (a timing, an id twice), ALREADY_EXISTS (of another owner), RATE_LIMITED (too many; what is
   * to be removed makes no room for what is new, because it goes last)
   */
  async sync(redis: RedisClient, request: CommandRequest<'schedule.sync'>): Promise<CommandReply<'schedule.sync'>> {
    const { namespace, records, owner, prune, dryRun } = request;
    assertUnique(records.map(({ id }) => id));
    const outcome: CommandReply<'schedule.sync'> = { created: [], updated: [], unchanged: [], removed: [] };

    await inBatches(records, async (spec) => {
      const [known] = await this.owners(redis, namespace, [spec.id]);
      if (known !== undefined && known !== owner) {
        throw new CommandError('ALREADY_EXISTS', `schedule ${spec.id} belongs to ${known}`, { owner: known });
      }
      const { created, changed } = await this.declaration.declare(redis, namespace, spec, { owner, dryRun: true });
      (created ? outcome.created : changed ? outcome.updated : outcome.unchanged).push(spec.id);
    });
    await this.store.assertRoomFor(redis, namespace, outcome.created.length);
    if (prune) outcome.removed = await this.strangers(redis, namespace, owner, new Set(records.map(({ id }) => id)));
    if (dryRun) return outcome;

    const changing = new Set([...outcome.created, ...outcome.updated]);
    await inBatches(
      records.filter(({ id }) => changing.has(id)),
      (spec) => this.declaration.declare(redis, namespace, spec, { owner }),
    );
    await inBatches(outcome.removed, (id) => this.store.remove(redis, namespace, id));
    return outcome;
  }

  /** Whose each of the schedules is; undefined where it is nobody's. Also of a broken record, if that can be read of it. */
  private async owners(redis: RedisClient, namespace: string, ids: readonly string[]): Promise<(string | undefined)[]> {
    const names = ids.map((id) => ({ namespace, id }));
    const { records } = await this.store.readAll(redis, names);
    return records.map((record) => (record instanceof BrokenRecordError ? remainsOf(record) : record)?.owner);
  }

  /** The owner's schedules that are not declared any more. */
  private async strangers(
    redis: RedisClient,
    namespace: string,
    owner: string,
    declared: ReadonlySet<string>,
  ): Promise<string[]> {
    const found: string[] = [];
    let after: string | undefined;
    for (;;) {
      const ids = await this.store.ids(redis, namespace, after, BATCH_COUNT);
      const owners = await this.owners(redis, namespace, ids);
      found.push(...ids.filter((id, at) => owners[at] === owner && !declared.has(id)));
      if (ids.length < BATCH_COUNT) return found;
      after = ids.at(-1);
    }
  }
}

function assertUnique(ids: readonly string[]): void {
  const seen = new Set<string>();
  for (const id of ids) {
    if (seen.has(id)) throw new CommandError('INVALID_ARGUMENT', `records: ${id} is declared twice`);
    seen.add(id);
  }
}

async function inBatches<Item>(items: readonly Item[], work: (item: Item) => Promise<unknown>): Promise<void> {
  for (let at = 0; at < items.length; at += BATCH_COUNT) await Promise.all(items.slice(at, at + BATCH_COUNT).map(work));
}
