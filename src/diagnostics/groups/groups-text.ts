import type { LedgerGroups } from '../../contract/ledger.schema.js';
import { placeText } from '../text/place-text.js';
import { textTable } from '../text/text-table.js';

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
  const growth = deltaMs === undefined ? 'GROWTH' : `IN ${(deltaMs / 1_000).toFixed(1)} S`;
  const table = textTable(
    [{ title: 'LIVE', align: 'right' }, { title: growth, align: 'right' }, { title: 'KIND' }, { title: 'MADE AT' }],
    rows,
  );
  const hidden = totalCount - groups.length;
  return hidden > 0 ? `${table}… and ${hidden} more\n` : table;
}

function placeOf({ site, provider, overflow, stack }: Group): string {
  if (overflow) return overflow;
  if (provider) return `provider ${provider}`;
  const place = site ?? stack[0];
  if (!place) return '(no line)';
  return placeText(place);
}

function signed(value: number): string {
  return value > 0 ? `+${value}` : String(value);
}
