import type { Verdict, Verdicts } from '../../contract/verdict.schema.js';
import { bytesText, rateText, timeText } from './amount-words.js';
import { countOf } from './kind-words.js';

type Told = Omit<Verdict, 'sentence'>;

const AMOUNTS: Readonly<Record<string, string>> = {
  heap: 'heap that no collection frees',
  external: 'memory of Buffers and other objects outside the heap',
  native: 'native memory',
};

/** `1,240 redis clients, made at src/crawl.service.ts:42 in CrawlService.fetch, +2.0/s, 1.00 per crawl; the 192 MiB limit in 41 min`. */
export function verdictSentence(verdict: Told): string {
  const parts = [subjectText(verdict), placeText(verdict)];
  if (verdict.ratePerSecond > 0) parts.push(growthText(verdict));
  if (verdict.perCommand !== undefined) parts.push(perWorkText(verdict));
  const sentence = parts.filter((part) => part !== '').join(', ');
  return `${sentence}${limitText(verdict)}${stateText(verdict)}`;
}

/** The first thing to know. */
export function verdictsSentence(
  { verdicts, watchedMs }: Pick<Verdicts, 'verdicts' | 'watchedMs'>,
  running: boolean,
): string {
  if (!running) return 'Nobody is watching: start with --require mu-commander/register.';
  const own = verdicts.filter(({ partOf }) => partOf === undefined);
  const leaking = own.filter(({ state }) => state === 'leaking');
  const growing = own.filter(({ state }) => state === 'growing');
  const allocator = own.find(({ cause }) => cause === 'allocator');
  const [first] = [...leaking, ...growing];
  const others = leaking.length + growing.length - 1;
  const more = others > 0 ? ` (and ${others} more)` : '';
  if (first && leaking.length > 0) return `Leaking: ${first.sentence}${more}`;
  if (first) return `Growing: ${first.sentence}${more}`;
  if (allocator) return `Nothing leaks. ${allocator.sentence}`;
  const known = verdicts.some(({ state }) => state !== 'not-enough-data');
  return known
    ? `Nothing leaks, watched for ${timeText(watchedMs)}.`
    : `Not watched for long enough: ${timeText(watchedMs)}.`;
}

function subjectText({ subject, kind, live, liveBytes }: Told): string {
  if (subject === 'fds') return countOf(live, 'fds');
  if (subject !== 'group') return `${bytesText(liveBytes ?? 0)} of ${AMOUNTS[subject]}`;
  return liveBytes === undefined ? countOf(live, kind) : `${bytesText(liveBytes)} in Buffers`;
}

function placeText({ site, via, precision }: Told): string {
  if (site === null) return via ? `opened by ${via}` : '';
  const inFunction = site.function ? ` in ${clean(site.function)}` : '';
  const verb = precision === 'function' ? 'allocated in the function at' : 'made at';
  return `${verb} ${clean(site.file)}:${site.line}${inFunction}${via ? ` through ${via}` : ''}`;
}

function growthText({ ratePerSecond, liveBytes }: Told): string {
  return liveBytes === undefined ? rateText(ratePerSecond) : `+${bytesText(ratePerSecond)}/s`;
}

function perWorkText({ perCommand = 0, perCommandOf, liveBytes }: Told): string {
  const each = liveBytes === undefined ? perCommand.toFixed(perCommand < 0.1 ? 3 : 2) : bytesText(perCommand);
  return `${each} per ${clean(perCommandOf ?? '')}`;
}

function limitText({ limit }: Told): string {
  if (!limit || limit.etaMs === null) return '';
  const size = limit.bytes === undefined ? (limit.count ?? 0).toLocaleString('en-US') : bytesText(limit.bytes);
  const what = { 'cgroup memory': `${size} limit`, 'V8 heap': `${size} heap limit` }[limit.name];
  if (limit.name === 'declared ceiling') return `; more than the ${size} declared`;
  return `; the ${what ?? `limit of ${size} ${limit.name}`} in ${timeText(limit.etaMs)}`;
}

function stateText({ state, cause, reasons }: Told): string {
  if (cause === 'allocator') return ': kept by the allocator, not a leak';
  return state === 'retracted' ? `: taken back, ${reasons[reasons.length - 1] ?? 'it is over'}` : '';
}

/** A file or function name must not move the cursor of a terminal. */
function clean(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?');
}
