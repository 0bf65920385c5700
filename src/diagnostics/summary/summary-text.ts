/** One line: a dotted path inside its section and the value with its unit. */
type Line = [path: string, value: string];

/** The answer as aligned text for a terminal. Units come from the last word of each field name. */
export function summaryText(summary: Record<string, unknown>): string {
  const general: Line[] = [];
  const blocks: string[] = [];
  for (const [name, value] of Object.entries(summary)) {
    if (!isRecord(value)) general.push([name, shown(name, value)]);
    else if (name === 'sources')
      for (const [source, answer] of Object.entries(value)) blocks.push(block(clean(source), answer));
    else blocks.push(block(clean(name), value));
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
  return entries.flatMap(([key, item]) => lines(item, path === '' ? clean(key) : `${path}.${clean(key)}`));
}

function aligned(rows: Line[], indent = ''): string {
  const width = Math.max(0, ...rows.map(([path]) => path.length));
  return rows.map(([path, value]) => `${indent}${path.padEnd(width)}  ${value}`.trimEnd() + '\n').join('');
}

function shown(path: string, value: unknown): string {
  if (value === null) return '-';
  if (typeof value !== 'number') return clean(String(value));
  // Under `countByType` and `closedCounts` the unit is in the name of the group.
  const unit = /(^|\.)count|Counts?(\.|$)/.test(path) ? 'Count' : (/(Bytes|Ms|Ratio|At)$/.exec(path)?.[1] ?? '');
  return inUnit[unit]?.(value) ?? String(value);
}

const inUnit: Record<string, (value: number) => string> = {
  Bytes: (value) => {
    const exponent = Math.min(4, Math.max(0, Math.floor(Math.log2(Math.max(1, value)) / 10)));
    return exponent === 0
      ? `${value} B`
      : `${(value / 1_024 ** exponent).toFixed(1)} ${['', 'KiB', 'MiB', 'GiB', 'TiB'][exponent]}`;
  },
  Ms: (value) => {
    if (value < 1_000) return `${value} ms`;
    if (value < 120_000) return `${(value / 1_000).toFixed(1)} s`;
    const minutes = Math.floor(value / 60_000);
    const [days, hours] = [Math.floor(minutes / 1_440), Math.floor(minutes / 60) % 24];
    return [days > 0 ? `${days} d` : '', days + hours > 0 ? `${hours} h` : '', `${minutes % 60} min`]
      .filter(Boolean)
      .join(' ');
  },
  Ratio: (value) => `${(value * 100).toFixed(1)} %`,
  Count: (value) => value.toLocaleString('en-US'),
  At: (value) => new Date(value).toISOString(),
};

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** A name or text from outside must not move the cursor of a terminal or start a line of its own. */
function clean(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?');
}
