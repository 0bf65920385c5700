import type { LedgerGroups } from '../../contract/ledger.schema.js';

type Group = LedgerGroups['groups'][number];

/** The groups as aligned lines for a terminal: how many of what, made where, and by what way. */
export function groupsText({ ledger, groups, totalCount, deltaMs }: LedgerGroups): string {
  if (!ledger.running) return 'the ledger is not running: start with --require mu-commander/register\n';
  const rows = groups.map((group) => [
    `${group.exact ? '' : '~'}${group.live.toLocaleString('en-US')}`,
    group.delta ? signed(group.delta.live) : `${signed(group.ratePerSecond)}/s`,
    group.kind,
    `${placeOf(group)}${group.via ? ` via ${group.via}` : ''}`,
  ]);
  const head = ['LIVE', deltaMs === undefined ? 'GROWTH' : `IN ${(deltaMs / 1_000).toFixed(1)} S`, 'KIND', 'MADE AT'];
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)));
  const lines = [head, ...rows].map((row) =>
    row
      // Numbers to the right, words to the left.
      .map((cell, column) => (column < 2 ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd(),
  );
  const hidden = totalCount - groups.length;
  if (hidden > 0) lines.push(`… and ${hidden} more`);
  return `${lines.join('\n')}\n`;
}

function placeOf({ site, provider, overflow, stack }: Group): string {
  if (overflow) return overflow;
  if (provider) return `provider ${provider}`;
  const place = site ?? stack[0];
  if (!place) return '(no line)';
  return clean(`${place.file}:${place.line}${place.function ? ` in ${place.function}` : ''}`);
}

function signed(value: number): string {
  return value > 0 ? `+${value}` : String(value);
}

/** A file or function name must not move the cursor of a terminal. */
function clean(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?');
}
