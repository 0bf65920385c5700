import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { plantIn, type Plant } from './plant.js';

const positive = z.number().positive();

/** Requests per second, over time. */
const loadSchema = z.union([
  z.strictObject({ rate: positive, connections: z.enum(['kept', 'fresh']).default('kept') }),
  z.strictObject({
    shape: z.enum(['square', 'sine']),
    low: positive,
    high: positive,
    periodSeconds: positive,
    connections: z.enum(['kept', 'fresh']).default('kept'),
  }),
]);

/** What a scenario says of itself in the comment `leaklab` at its head, as YAML. */
const headSchema = z.strictObject({
  /** Row of the table of leak kinds, e.g. 1 or C3. */
  row: z.union([z.int(), z.string()]).transform(String),
  /** `H` shows in counts, `M` in memory only, `X` outside of the heap, `C` is healthy. */
  class: z.enum(['H', 'M', 'X', 'C']),
  title: z.string(),
  /** Where to read about it. */
  read: z.string(),
  /** Kind of resource that leaks, where it is one of the ledger's. */
  kind: z.string().optional(),
  load: loadSchema,
  /** Leaked per request. */
  perCommand: positive.optional(),
  /** Leaked per second, whatever the requests. */
  perSecond: positive.optional(),
  /** How long it runs; without `quick` it is only in the full run. */
  seconds: z.strictObject({ quick: positive.optional(), all: positive }),
  /** What has to be there: a Redis, one whose connections are cut, an HTTP server, a Nest server, one that never answers. */
  needs: z.array(z.enum(['redis', 'flap', 'http', 'nest', 'mute'])).default([]),
  memoryMiB: positive.default(512),
  /** Share within which the time to the limit must be right. */
  etaWithin: positive.optional(),
  /** Runs a second time without the detector, to compare. */
  cost: z.boolean().default(false),
});

export type Load = z.output<typeof loadSchema>;

export interface Scenario extends z.output<typeof headSchema> {
  /** Name of the file without its ending. */
  readonly id: string;
  readonly file: string;
  /** The marked line; null in a control. */
  readonly plant: Plant | null;
}

const HEAD = /^\/\* leaklab\n([\s\S]*?)\*\//;

/** @throws Error that names the file, when it is none or its head is not right */
export function readScenario(file: string): Scenario {
  const text = readFileSync(file, 'utf8');
  const head = HEAD.exec(text)?.[1];
  if (head === undefined) throw new Error(`${file} does not begin with /* leaklab`);
  const parsed = headSchema.safeParse(parse(head));
  if (!parsed.success) throw new Error(`${file}: ${z.prettifyError(parsed.error)}`);
  const plant = plantIn(file, text);
  if ((parsed.data.class === 'C') !== (plant === null)) {
    throw new Error(`${file}: a control has no line marked // plant, everything else has one`);
  }
  return { ...parsed.data, id: basename(file).replace(/\.\w+$/, ''), file, plant };
}

/** The scenarios of a directory, by name. */
export function readScenarios(directory: string): Scenario[] {
  return readdirSync(directory)
    .filter((name) => /\.(?:cjs|mjs|ts)$/.test(name))
    .sort((one, other) => one.localeCompare(other))
    .map((name) => readScenario(join(directory, name)));
}
