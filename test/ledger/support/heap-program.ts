import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import ts from 'typescript';
import type { HeapSamplingStatus, HeapSite, HeapStack } from '../../../src/ledger/heap/heap-sampling';
import { DIST_DIR } from './run-fixture';

/** What the program tells in the end. */
export interface HeapProgramReport {
  readonly sites: HeapSite[];
  readonly stacks: HeapStack[];
  readonly status: HeapSamplingStatus;
  /** How often the leaking function ran. */
  readonly calls: number;
}

/** `build` is written out: V8 inlines no function of that length, so its frame is there however hot it gets. */
const ROWS = Array.from({ length: 40 }, (_, index) => `{ index: ${index}, text: 'row ' + count++ }`);
const LIBRARY = `
let count = 0;
exports.keep = function keep(list, make) { list.push(make()); };
exports.build = function build() { return [${ROWS.join(', ')}]; };
`;

/**
 * How often the program collects its old generation: as seldom as the shortest window is. By itself V8 lets a heap of this size grow to its
 * fourfold in between, twice in a run or once, as the machine's speed has it. Without a leak it is left to V8.
 */
const COLLECT_EVERY_READS = 8;

/**
 * Each leaks about 3 KB a call, in the function whose name is in it. What the other functions hold is renewed all the time.
 */
const SOURCE = `
interface Dropped { a: string; b: number }
type Gone = Dropped | null;

const { keep, build } = require('fake-library') as any;
const kept: unknown[] = [];

function objectLeak(): void {
  for (let index = 0; index < 40; index++) kept.push({ index, text: 'row ' + index, more: [index, index + 1] });
}

class Cache {
  rememberLeak(): void {
    for (let index = 0; index < 40; index++) kept.push({ index, text: 'row ' + index, more: [index, index + 1] });
  }
}

const json = JSON.stringify(Array.from({ length: 40 }, (_, index) => ({ index, text: 'row ' + index })));
function nativeLeak(): void {
  kept.push(JSON.parse(json));
}

function libraryLeak(): void {
  kept.push(build());
}

async function asyncLeak(): Promise<void> {
  await null;
  for (let index = 0; index < 40; index++) kept.push({ index, text: 'row ' + index, more: [index, index + 1] });
}

const cache = new Cache();
const rememberLeak = Cache.prototype.rememberLeak.bind(cache);
const leaks: Record<string, () => unknown> = { objectLeak, nativeLeak, libraryLeak, asyncLeak, rememberLeak };

const rings: unknown[][] = Array.from({ length: 12 }, () => []);
${Array.from({ length: 12 }, (_, index) => noiseFunction(index)).join('\n')}
const noises = [${Array.from({ length: 12 }, (_, index) => `noise${index}`).join(', ')}];
// From one place, as an emitter calls its listeners: V8 inlines none of so many into the caller.
const work: (() => unknown)[] = [...noises, ...noises, ...noises];
const { LEAK } = process.env;
if (LEAK && leaks[LEAK]) work.push(leaks[LEAK]);

function inlinedCaller(): void {
  objectLeak();
}

const { heapSampling } = require(process.env.LEDGER!) as any;
require('node:v8').setFlagsFromString('--expose-gc');
const collect = require('node:vm').runInNewContext('gc');
const sampling = heapSampling('test');
let calls = 0;
async function run(): Promise<void> {
  for (let warm = 0; warm < 1_000; warm++) for (const noise of noises) noise();
  if (!sampling.start({ intervalBytes: 64 * 1024 })) throw new Error(sampling.status().unavailable);
  let sites: any[] = [];
  for (let reads = 0; reads < 100 && !(sites[0]?.confidence >= Number(process.env.ENOUGH)); reads++) {
    for (let turn = 0; turn < 10; turn++) {
      for (let step = 0; step < 10; step++) {
        for (const call of work) await call();
        if (LEAK === 'inlined') inlinedCaller();
        calls++;
      }
      await new Promise((resolve) => setTimeout(resolve, 26));
    }
    if (LEAK && reads % ${COLLECT_EVERY_READS} === 0) collect();
    sampling.read();
    sites = await sampling.sites();
  }
  const stacks = await sampling.stacks();
  const status = sampling.status();
  sampling.stop();
  process.stdout.write(JSON.stringify({ sites, stacks, status, calls }));
}
void run();
`;

function noiseFunction(index: number): string {
  return `function noise${index}(): void {
  const ring = rings[${index}]!;
  ring.push(Array.from({ length: 10 }, (_, at) => ({ at, text: 'noise' + at })));
  if (ring.length > 1_000) ring.splice(0, 500);
}`;
}

/** Writes the program, compiled from TypeScript with a source map, in `directory`. @returns the line of each function */
export function writeHeapProgram(directory: string): { main: string; lineOf: (functionName: string) => number } {
  const library = join(directory, 'node_modules', 'fake-library');
  mkdirSync(library, { recursive: true });
  mkdirSync(join(directory, 'dist'));
  mkdirSync(join(directory, 'src'));
  writeFileSync(join(directory, 'package.json'), '{"name":"heap-program","private":true}');
  writeFileSync(join(library, 'index.js'), LIBRARY);
  const { outputText, sourceMapText } = ts.transpileModule(SOURCE, {
    fileName: '../src/program.ts',
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, sourceMap: true },
  });
  const main = join(directory, 'dist', 'program.js');
  writeFileSync(join(directory, 'src', 'program.ts'), SOURCE);
  writeFileSync(main, outputText);
  writeFileSync(`${main}.map`, JSON.stringify({ ...JSON.parse(sourceMapText!), sources: ['../src/program.ts'] }));
  const lines = SOURCE.split('\n');
  return {
    main,
    lineOf: (functionName) =>
      lines.findIndex((line) => new RegExp(`(^|\\s)${functionName}\\(\\).*\\{$`).test(line)) + 1,
  };
}

/**
 * Runs it until growth is found with a confidence of `enough`, or for 100 reads; `leak` is the name of a function, or
 * undefined for none. Rejects with its output when it fails.
 */
export async function runHeapProgram(
  main: string,
  leak: string | undefined,
  enough: number,
): Promise<HeapProgramReport> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--max-semi-space-size=1', main], {
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      LEDGER: join(DIST_DIR, 'ledger', 'index.js'),
      LEAK: leak ?? '',
      ENOUGH: String(enough),
    },
    maxBuffer: 16 * 1024 * 1024,
    timeout: 150_000,
  });
  return JSON.parse(stdout) as HeapProgramReport;
}
