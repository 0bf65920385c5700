import { cleanText } from '../text/clean-text.js';
import { bytesText, countText, durationText, ratioText } from '../../contract/amount-text.js';
import { instantText } from '../text/instant-text.js';

/** One line: a dotted path inside its section and the value with its unit. */
type Line = [path: string, value: string];

/** The answer as aligned text for a terminal. Units come from the last word of each field name. */
export function summaryText(summary: Record<string, unknown>): string {
  const general: Line[] = [];
  const blocks: string[] = [];
  for (const [name, value] of Object.entries(summary)) {
    if (!isRecord(value)) general.push([name, shown(name, value)]);
    else if (name === 'sources')
      for (const [source, answer] of Object.entries(value)) blocks.push(block(cleanText(source), answer));
    else blocks.push(block(cleanText(name), value));
  }
  return [aligned(general), ...blocks].join('\n');
}

function block(title: string, value: unknown): string {
  return `${title}\n${aligned(lines(value, ''), '  ')}`;
}

function lines(value: unknown, path: string): Line[] {
  const entries = Array.isArray(value)
    ? value.map((item, index) => [String(index), item] as const)
    : isRecord(value)
      ? Object.entries(value)
      : undefined;
  if (entries === undefined) return [[path, shown(path, value)]];
  if (entries.length === 0) return [[path, 'none']];
  return entries.flatMap(([key, item]) => lines(item, path === '' ? cleanText(key) : `${path}.${cleanText(key)}`));
}

function aligned(rows: Line[], indent = ''): string {
  const width = Math.max(0, ...rows.map(([path]) => path.length));
  return rows.map(([path, value]) => `${indent}${path.padEnd(width)}  ${value}`.trimEnd() + '\n').join('');
}

function shown(path: string, value: unknown): string {
  if (value === null) return '-';
  if (typeof value !== 'number') return cleanText(String(value));
  // Under `countByType` and `closedCounts` the unit is in the name of the group.
  const unit = /(^|\.)count|Counts?(\.|$)/.test(path) ? 'Count' : (/(Bytes|Ms|Ratio|At)$/.exec(path)?.[1] ?? '');
  return inUnit[unit]?.(value) ?? String(value);
}

const inUnit: Record<string, (value: number) => string> = {
  Bytes: bytesText,
  Ms: durationText,
  Ratio: ratioText,
  Count: countText,
  At: instantText,
};

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
