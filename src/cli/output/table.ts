import { displayWidth, fit } from './display-width.js';
import { printable } from './printable.js';
import type { Terminal } from './terminal.js';
import { paint, type Tone } from './tone.js';

/** One column of a table. */
export interface Column<Row> {
  title: string;
  /** Text of foreign origin is welcome: it is made printable here. Empty where there is nothing to tell. */
  cell(row: Row): string;
  align?: 'right';
  /** May be cut when the window is narrow: free text. Others are ids and numbers, of which a part is worth nothing. */
  isFlexible?: true;
  tone?(row: Row): Tone | undefined;
}

const GAP = '  ';
const MIN_FLEXIBLE_COLUMNS = 12;
const NOTHING = '–';

interface Drawn<Row> {
  column: Column<Row>;
  cells: string[];
  width: number;
}

/**
 * Rows below aligned titles. A column in which every cell is empty is left out. In a window that is too narrow the
 * flexible columns are cut (`…`), and what still does not fit is left out, from the right, and named below the table.
 * Without rows it is the text for that.
 */
export function table<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  terminal: Terminal,
  whenEmpty: string,
): string {
  if (rows.length === 0) return whenEmpty;
  const drawn = columns
    .map((column): Drawn<Row> => {
      const cells = rows.map((row) => printable(column.cell(row)));
      return { column, cells, width: Math.max(...[column.title, ...cells].map(displayWidth)) };
    })
    .filter(({ cells }) => cells.some((cell) => cell !== ''));
  const leftOut = terminal.widthColumns === undefined ? [] : narrow(drawn, terminal.widthColumns);
  const lines = [
    line(
      drawn,
      ({ column }) => paint(column.title, 'strong', terminal),
      ({ column }) => column.title,
    ),
    ...rows.map((row, at) => {
      const plain = ({ cells, width }: Drawn<Row>) => fit(cells[at] || NOTHING, width);
      return line(drawn, (part) => paint(plain(part), part.column.tone?.(row), terminal), plain);
    }),
  ];
  if (leftOut.length > 0) lines.push(`(no room for ${leftOut.join(', ')}: a wider window or --json shows them)`);
  return lines.join('\n');
}

/** Makes the columns fit, as far as that is possible; returns the titles of those left out. */
function narrow<Row>(drawn: Drawn<Row>[], widthColumns: number): string[] {
  const leftOut: string[] = [];
  for (;;) {
    let excess = drawn.reduce((sum, { width }) => sum + width, GAP.length * (drawn.length - 1)) - widthColumns;
    if (excess <= 0) return leftOut;
    const flexible = drawn.filter(({ column }) => column.isFlexible);
    const minimum = (part: Drawn<Row>) =>
      Math.min(part.width, Math.max(MIN_FLEXIBLE_COLUMNS, displayWidth(part.column.title)));
    const spare = flexible.reduce((sum, part) => sum + part.width - minimum(part), 0);
    if (spare >= excess) {
      for (; excess > 0; excess -= 1) {
        // One column at a time from whichever has most to give, so that all keep about the same.
        const widest = flexible.reduce((a, b) => (b.width - minimum(b) > a.width - minimum(a) ? b : a));
        widest.width -= 1;
      }
      return leftOut;
    }
    if (drawn.length === 1) {
      drawn[0].width = Math.max(1, widthColumns);
      return leftOut;
    }
    leftOut.unshift(drawn.pop()!.column.title);
  }
}

function line<Row>(
  drawn: readonly Drawn<Row>[],
  painted: (part: Drawn<Row>) => string,
  plain: (part: Drawn<Row>) => string,
): string {
  return drawn
    .map((part, at) => {
      const padding = ' '.repeat(Math.max(0, part.width - displayWidth(plain(part))));
      if (part.column.align === 'right') return padding + painted(part);
      return at === drawn.length - 1 ? painted(part) : painted(part) + padding;
    })
    .join(GAP);
}
