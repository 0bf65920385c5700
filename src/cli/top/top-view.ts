import { bytesText, countText, durationText, rateText } from '../../contract/amount-text.js';
import { displayWidth, fit } from '../output/display-width.js';
import { printable } from '../output/printable.js';
import { type Column, table } from '../output/table.js';
import type { Terminal } from '../output/terminal.js';
import { paint, type Tone } from '../output/tone.js';
import type { Look, SortOrder, TopGroup } from './diagnostics-reader.js';

/** What is shown, whether once or again and again. */
export interface TopState {
  address: string;
  look: Look;
  sort: SortOrder;
  /** Alive by group when the looking began, and how long ago that was; absent in the first look. */
  since?: { live: ReadonlyMap<string, number>; ms: number };
}

/** Suspects told beside the first, which is the verdict itself. */
const MAX_SENTENCES = 3;
const GAP_COLUMNS = 2;
const MIN_PLACE_COLUMNS = 24;
/** What of a kind is shown where room is short. */
const MIN_KIND_COLUMNS = 14;

const tones: Readonly<Record<string, Tone>> = { leaking: 'bad', growing: 'doubtful', 'not-leaking': 'good' };

/** Who it is, memory against its limit, the verdict in sentences, and what is alive by the line that made it. */
export function topLines(state: TopState, terminal: Terminal, maxRows = Infinity): string[] {
  const head = [...facts(state), ...sentences(state.look.verdicts)].map(({ text, tone }) =>
    paint(cut(printable(text), terminal), tone, terminal),
  );
  return [...head, '', ...groupLines(state, terminal, Math.max(1, maxRows - head.length - 2))];
}

interface Line {
  text: string;
  tone?: Tone | undefined;
}

function facts({ address, look: { summary, verdicts } }: TopState): Line[] {
  const { process: who, memory, heap, openFds, cpu } = summary;
  const { rssBytes, heapBytes, externalBytes, nativeBytes } = verdicts.rss;
  const limitBytes = 'error' in memory ? null : memory.limitBytes;
  const limit = limitBytes === null ? ', no limit' : ` of ${bytesText(limitBytes)} (${percent(rssBytes / limitBytes)})`;
  const heapLimit = 'error' in heap ? '' : `  V8 heap ${bytesText(heap.usedBytes)} of ${bytesText(heap.limitBytes)}`;
  const busy = 'error' in cpu ? '' : `  CPU ${percent(cpu.usedRatio)}`;
  const files = 'error' in openFds || openFds.openCount === null ? '' : `  fds ${countText(openFds.openCount)}`;
  return [
    {
      text:
        'error' in who
          ? address
          : `${address}  pid ${who.pid}, Node ${who.nodeVersion}, up ${durationText(Math.round(who.uptimeMs))}`,
      tone: 'strong',
    },
    {
      text: `RSS ${bytesText(rssBytes)}${limit}: heap ${bytesText(heapBytes)}, external ${bytesText(externalBytes)}, native ${bytesText(nativeBytes)}`,
      tone: limitBytes !== null && rssBytes > 0.85 * limitBytes ? 'bad' : undefined,
    },
    { text: `${heapLimit}${files}${busy}`.trim() },
  ];
}

function sentences({ state, sentence, verdicts }: Look['verdicts']): Line[] {
  const others = verdicts.filter(
    (verdict) =>
      (verdict.state === 'leaking' || verdict.state === 'growing') &&
      verdict.partOf === undefined &&
      !sentence.includes(verdict.sentence),
  );
  return [
    // It says the state itself.
    { text: sentence, tone: tones[state] },
    ...others.slice(0, MAX_SENTENCES).map((verdict) => ({
      text: `${verdict.state === 'leaking' ? 'Leaking' : 'Growing'}: ${verdict.sentence}`,
      tone: tones[verdict.state],
    })),
  ];
}

function groupLines({ look, since, sort }: TopState, terminal: Terminal, maxRows: number): string[] {
  const { ledger, groups, totalCount } = look.groups;
  if (!ledger.running) return ['the ledger is not running: start the process with --require mu-commander/register'];
  const shown = groups.slice(0, maxRows);
  const columns: Column<TopGroup>[] = [
    { title: 'LIVE', align: 'right', cell: liveText },
    {
      title: since === undefined ? 'DELTA' : `IN ${durationText(Math.round(since.ms / 1_000) * 1_000).toUpperCase()}`,
      align: 'right',
      cell: (group) => (since === undefined ? '' : signed(group.live - (since.live.get(group.id) ?? 0))),
      tone: (group) => (since !== undefined && group.live > (since.live.get(group.id) ?? 0) ? 'doubtful' : undefined),
    },
    {
      title: 'RATE',
      align: 'right',
      cell: ({ ratePerSecond }) => rateText(ratePerSecond),
      tone: ({ ratePerSecond, live }) => (ratePerSecond > 0 && live >= 10 ? 'doubtful' : undefined),
    },
    ...(sort === 'age'
      ? [
          {
            title: 'OLDEST',
            align: 'right',
            cell: ({ ageMs }: TopGroup) => (ageMs ? durationText(ageMs.oldest) : ''),
          } as const,
        ]
      : []),
  ];
  const widthOf = ({ title, cell }: Column<TopGroup>): number =>
    Math.max(...[title, ...shown.map(cell)].map((text) => displayWidth(text)));
  const { widthColumns = Infinity } = terminal;
  const figures = columns.reduce((sum, column) => sum + widthOf(column) + GAP_COLUMNS, 0);
  const kind: Column<TopGroup> = {
    title: 'KIND',
    cell: ({ kind: name, via }) => (via === undefined ? name : `${name} via ${via}`),
  };
  const forBoth = widthColumns - figures - GAP_COLUMNS;
  const kindColumns = Math.min(widthOf(kind), Math.max(MIN_KIND_COLUMNS, forBoth - MIN_PLACE_COLUMNS));
  columns.push({ ...kind, cell: (group) => fit(kind.cell(group), kindColumns) });
  const room = Math.max(MIN_KIND_COLUMNS, forBoth - kindColumns);
  columns.push({ title: 'MADE AT', cell: (group) => placeIn(group, room), isFlexible: true });
  const lines = table(shown, columns, terminal, 'nothing is alive that is counted')
    .split('\n')
    // What had no room is named below a table; here every line counts.
    .slice(0, shown.length + 1);
  const hidden = totalCount - shown.length;
  return hidden > 0 && maxRows === Infinity ? [...lines, `… and ${countText(hidden)} more`] : lines;
}

function liveText({ live, liveBytes, exact }: TopGroup): string {
  return `${exact ? '' : '≈'}${countText(live)}${liveBytes === undefined ? '' : ` (${bytesText(liveBytes)})`}`;
}

/** File and line are what is looked for: of a long path the beginning goes, the function only where there is room. */
function placeIn({ site, provider, overflow, stack }: TopGroup, roomColumns: number): string {
  if (overflow !== undefined) return overflow;
  if (site === null && provider !== undefined) return `provider ${provider}`;
  const frame = site ?? stack[0];
  if (frame === undefined) return 'no line of the application';
  const line = `${frame.file}:${frame.line}`;
  const whole = frame.function === null ? line : `${line} in ${frame.function}`;
  if (displayWidth(line) <= roomColumns) return whole;
  return `…${line.slice(1 - roomColumns)}`;
}

function cut(text: string, { widthColumns }: Terminal): string {
  return widthColumns === undefined ? text : fit(text, widthColumns);
}

function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(1)} %`;
}

function signed(value: number): string {
  return value > 0 ? `+${countText(value)}` : countText(value);
}
