import { displayWidth } from './display-width.js';
import { printable, printableJson } from './printable.js';
import type { Terminal } from './terminal.js';
import { paint } from './tone.js';

/** Names and values below each other; what has no value is left out. Values of foreign origin are made printable here. */
export function details(
  entries: readonly (readonly [name: string, value: string | undefined])[],
  terminal: Terminal,
): string {
  const told = entries.filter((entry): entry is readonly [string, string] => Boolean(entry[1]));
  const width = Math.max(0, ...told.map(([name]) => displayWidth(name)));
  return told
    .map(
      ([name, value]) =>
        `${paint(name, 'faint', terminal)}${' '.repeat(width - displayWidth(name))}  ${printable(value)}`,
    )
    .join('\n');
}

/** A JSON value below a title, indented; empty where there is none. */
export function jsonBlock(title: string, value: unknown, terminal: Terminal): string {
  if (value === undefined || value === null) return '';
  const json = printableJson(value, 2);
  return `${paint(title, 'faint', terminal)}\n${json.replace(/^/gm, '  ')}`;
}

/** Pieces of text with an empty line between them; empty ones are left out. */
export function sections(...pieces: readonly string[]): string {
  return pieces.filter((piece) => piece !== '').join('\n\n');
}
