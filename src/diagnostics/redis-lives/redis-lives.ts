import { Inject, Injectable, Logger } from '@nestjs/common';
import { z } from 'zod';
import { SETTINGS } from '../../config/config.module.js';
import type { Settings } from '../../config/settings.js';
import { CommandError } from '../../contract/command-error.js';
import type { HistorySample, RecorderStatus } from '../../contract/recorder.schema.js';
import { REDIS, type RedisClient } from '../../redis/redis-client.js';
import { RedisGate } from '../../redis/redis-gate.js';
import { RedisKeys } from '../../redis/redis-keys.js';
import { RedisScript } from '../../redis/redis-script.js';
import { redisStatus } from '../../redis/redis-status.js';
import { lifeHeaderSchema, type LifeHeader, lifeRecordSchema } from '../recorder/files/life-record.js';
import type { ArchiveContents, ArchivedLife, LifeArchive, SampleRecord } from '../recorder/life-archive.js';
import { sectionError, ShownError } from '../summary/section-error.js';
import { readLivesLua } from './read-lives.lua.js';
import { writeLifeLua } from './write-life.lua.js';

/** What Redis is asked to keep: bounds on its memory, whatever happens to us. */
const MAX_RECORD_BYTES = 32_768;
const MAX_LIVES = 64;
const MAX_INSTANCES = 64;
const TTL_MS = 24 * 3_600_000;
/** Records that wait for their confirmation; what comes beside them is dropped. */
const MAX_UNDER_WAY = 4;
const WRITE_TIMEOUT_MS = 2_000;
const READ_TIMEOUT_MS = 2_000;
const END_TIMEOUT_MS = 400;
const PAGE_SAMPLES = 100;

const indexEntrySchema = z.object({
  header: z.string(),
  first: z.string().optional(),
  last: z.string().optional(),
  stoppedAt: z.string().optional(),
});

const writeScript = new RedisScript<1>('write-life', writeLifeLua);
const readScript = new RedisScript<[string[], string[]]>('read-lives', readLivesLua);

/**
 * A copy of what lives write about themselves, in Redis, for when the file system of a replica goes with it. Through the one client;
 * nobody waits for it, and what Redis does not take at once is dropped and counted.
 */
@Injectable()
export class RedisLives implements LifeArchive {
  private readonly logger = new Logger('Diagnostics');
  private readonly current: NonNullable<RecorderStatus['copy']> = {
    writtenCount: 0,
    droppedCount: 0,
    underWayCount: 0,
    lastWrittenAt: null,
    failing: null,
  };
  private isRefused = false;

  constructor(
    @Inject(RedisGate) private readonly gate: RedisGate,
    @Inject(REDIS) private readonly client: RedisClient,
    @Inject(RedisKeys) private readonly keys: RedisKeys,
    @Inject(SETTINGS) private readonly settings: Pick<Settings, 'recorderRedisSamples'>,
  ) {}

  get status(): NonNullable<RecorderStatus['copy']> {
    return { ...this.current };
  }

  write(life: LifeHeader, record: SampleRecord): void {
    // The client would keep it until Redis is back.
    if (redisStatus(this.client) !== 'ready') return this.dropped(new ShownError('Redis is not reachable'));
    if (this.current.underWayCount >= MAX_UNDER_WAY) return this.dropped(new ShownError('Redis does not keep up'));
    const json = shortJson(record);
    if (json === null) return this.dropped(new ShownError(`the record is longer than ${MAX_RECORD_BYTES} bytes`));
    this.current.underWayCount += 1;
    this.send(life, { json, timeoutMs: WRITE_TIMEOUT_MS })
      .then(
        () => this.written(),
        (error: unknown) => this.dropped(error),
      )
      .finally(() => (this.current.underWayCount -= 1));
  }

  async end(life: LifeHeader, stoppedAt: number): Promise<void> {
    if (redisStatus(this.client) !== 'ready') return;
    await this.send(life, { stoppedAt, timeoutMs: END_TIMEOUT_MS }).catch(() => undefined);
  }

  async read(instance: string, maxLives: number): Promise<ArchiveContents> {
    const [instances, lives] = await this.ask((redis) =>
      readScript.run(redis, [this.keys.key('lives', instance)], [this.keys.key(), instance, maxLives]),
    );
    return {
      instances: inGroups(instances, 2).map(([name, heardAt]) => ({ instance: name!, lastAt: Number(heardAt) })),
      lives: inGroups(lives, 3).map(([id, entry, record]) => archivedLife(id!, entry!, record!)),
    };
  }

  async *samples(instance: string, life: string): AsyncGenerator<HistorySample[]> {
    const text = await this.ask((redis) => redis.hget(this.keys.key('lives', instance), life));
    const { first, last } = indexEntrySchema.safeParse(parsedJson(text)).data ?? {};
    if (first === undefined || last === undefined) return;
    for (let from = first; ;) {
      const page = await this.ask((redis) =>
        redis.xrange(this.keys.key('life-samples', instance), from, last, 'COUNT', PAGE_SAMPLES),
      );
      // Replicas that share a name write into one stream.
      yield page.flatMap(([, [, of, , record]]) => (of === life ? sampleIn(record) : []));
      if (page.length < PAGE_SAMPLES) return;
      from = `(${page.at(-1)![0]}`;
    }
  }

  private send(
    life: LifeHeader,
    { json = '', stoppedAt, timeoutMs }: { json?: string; stoppedAt?: number; timeoutMs: number },
  ): Promise<1> {
    const bounds = [this.settings.recorderRedisSamples, MAX_LIVES, MAX_INSTANCES, TTL_MS];
    return this.gate.run(Date.now() + timeoutMs, (redis) =>
      writeScript.run(
        redis,
        [this.keys.key('lives', life.instance)],
        [this.keys.key(), life.instance, life.id, JSON.stringify(life), json, stoppedAt ?? '', ...bounds],
      ),
    );
  }

  private async ask<Answer>(work: (redis: RedisClient) => Promise<Answer>): Promise<Answer> {
    try {
      return await this.gate.run(Date.now() + READ_TIMEOUT_MS, work);
    } catch (error) {
      // Its text is ours, and holds no address.
      throw error instanceof CommandError ? new ShownError(error.message) : error;
    }
  }

  private written(): void {
    this.current.writtenCount += 1;
    this.current.lastWrittenAt = Date.now();
    this.current.failing = null;
    if (this.isRefused) this.logger.log('the recorder writes its copy to Redis again');
    this.isRefused = false;
  }

  private dropped(error: unknown): void {
    this.current.droppedCount += 1;
    this.current.failing = error instanceof CommandError ? error.message : sectionError(error).error;
    // That Redis is away is told by others.
    if (error instanceof ShownError || error instanceof CommandError || this.isRefused) return;
    this.isRefused = true;
    this.logger.warn(
      `Redis refuses the copy of the recorder: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** Verdicts are what may be long; without them the figures are still worth keeping. */
function shortJson(record: SampleRecord): string | null {
  return (
    [record, { ...record, verdicts: [] }]
      .map((candidate) => JSON.stringify(candidate))
      .find((json) => Buffer.byteLength(json) <= MAX_RECORD_BYTES) ?? null
  );
}

function archivedLife(id: string, entryJson: string, recordJson: string): ArchivedLife {
  const entry = indexEntrySchema.safeParse(parsedJson(entryJson)).data;
  const header = lifeHeaderSchema.safeParse(parsedJson(entry?.header ?? '')).data ?? null;
  const record = recordIn(recordJson);
  const stoppedAt = entry?.stoppedAt === undefined ? null : Number(entry.stoppedAt);
  return { id, header, last: record, stoppedAt, exit: null };
}

function sampleIn(json: string | undefined): HistorySample[] {
  const record = recordIn(json ?? '');
  return record === null ? [] : [record.sample];
}

/** Null for what another version wrote and this one does not know. */
function recordIn(json: string): SampleRecord | null {
  const parsed = lifeRecordSchema.safeParse(parsedJson(json));
  return parsed.success && 'sample' in parsed.data ? parsed.data : null;
}

function parsedJson(text: string | null): unknown {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    return null;
  }
}

function inGroups<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.floor(items.length / size) }, (_, group) =>
    items.slice(group * size, (group + 1) * size),
  );
}
