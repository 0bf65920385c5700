import { displayWidth, fit } from '../../src/cli/output/display-width.js';
import { printable, printableJson } from '../../src/cli/output/printable.js';
import { type Column, table } from '../../src/cli/output/table.js';
import type { Terminal } from '../../src/cli/output/terminal.js';
import { withoutColours } from './support/without-colours.js';
import { exactDuration, relativeTime, roughDuration } from '../../src/cli/output/time-text.js';

const plain: Terminal = { hasColour: false, now: 0, showsUtc: false };

describe('times', () => {
  it.each([
    [0, '0 ms'],
    [0.4, '0 ms'],
    [999, '999 ms'],
    [999.7, '1 s'],
    [1_000, '1 s'],
    [59_499, '59 s'],
    [59_500, '1 min'],
    [3_569_999, '59 min'],
    [3_570_000, '1 h'],
    [4_800_000, '1 h 20 min'],
    [86_400_000 - 30_000, '1 d'],
    [3 * 86_400_000 + 4 * 3_600_000, '3 d 4 h'],
  ])('%d ms are roughly %s', (ms, text) => expect(roughDuration(ms)).toBe(text));

  it.each([
    [90_000, '90 s'],
    [300_000, '5 min'],
    [1_500, '1500 ms'],
    [7_200_000, '2 h'],
    [172_800_000, '2 d'],
    [0, '0 ms'],
  ])('%d ms are exactly %s', (ms, text) => expect(exactDuration(ms)).toBe(text));

  it.each([
    [3_000, 'in 3 s'],
    [-120_000, '2 min ago'],
    [499, 'now'],
    [-499, 'now'],
    [500, 'in 1 s'],
    [-700, '1 s ago'],
  ])('%d ms from now is %s', (at, text) => expect(relativeTime(at, 0)).toBe(text));
});

describe('foreign text', () => {
  it('cannot steer the terminal, and stays one line', () => {
    expect(printable('a\u001b[2Jb\u009bc\r\n\td\u202ee\u0000')).toBe('a\\u001b[2Jb\\u009bc d\\u202ee\\u0000');
    expect(printable('naïve 日本 👩‍👩‍👧 – fine')).toBe('naïve 日本 👩‍👩‍👧 – fine');
  });

  it('is the same JSON to a parser', () => {
    const value = { 'k\u009b': 'a\u001b[2J\u007f\u2028\u202e\n\u0085', list: [1, { deep: 'é👍' }] };
    for (const indent of [undefined, 2]) {
      const json = printableJson(value, indent);
      expect(JSON.parse(json)).toEqual(value);
      // eslint-disable-next-line no-control-regex
      expect(json).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u202e]/);
    }
    expect(printableJson(value)).not.toContain('\n');
  });
});

describe('widths', () => {
  it.each([
    ['abc', 3],
    ['日本', 4],
    ['e\u0301', 1],
    ['👍', 2],
    ['👩‍👩‍👧', 2],
    ['한국', 4],
    ['–…', 2],
  ])('%s takes %d columns', (text, width) => expect(displayWidth(text)).toBe(width));

  it('cuts between signs, never inside one, and says so', () => {
    expect(fit('abcdef', 6)).toBe('abcdef');
    expect(fit('abcdef', 4)).toBe('abc…');
    expect(fit('日本語', 5)).toBe('日本…');
    expect(fit('日本語', 4)).toBe('日…');
    expect(fit('a👩‍👩‍👧b', 3)).toBe('a…');
  });
});

describe('a table', () => {
  type Row = { id: string; count: number; why: string; rest?: string };
  const columns: Column<Row>[] = [
    { title: 'ID', cell: ({ id }) => id },
    { title: 'COUNT', cell: ({ count }) => String(count), align: 'right', tone: () => 'bad' },
    { title: 'WHY', cell: ({ why }) => why, isFlexible: true },
    { title: 'REST', cell: ({ rest }) => rest ?? '' },
  ];
  const rows: Row[] = [
    { id: 'first', count: 7, why: 'the site was down for a long while' },
    { id: '日本', count: 1234, why: '' },
  ];

  it('aligns, marks what is empty and leaves out what is empty everywhere', () => {
    expect(table(rows, columns, plain, 'none').split('\n')).toEqual([
      'ID     COUNT  WHY',
      'first      7  the site was down for a long while',
      '日本    1234  –',
    ]);
    expect(table([], columns, plain, 'none')).toBe('none');
  });

  it('cuts free text when the window is narrow', () => {
    expect(table(rows, columns, { ...plain, widthColumns: 35 }, '').split('\n')).toEqual([
      'ID     COUNT  WHY',
      'first      7  the site was down fo…',
      '日本    1234  –',
    ]);
  });

  it('leaves out columns only when cutting is not enough, from the right, and names them', () => {
    const full = [{ ...rows[0], rest: 'r'.repeat(10) }];
    expect(table(full, columns, { ...plain, widthColumns: 38 }, '').split('\n')).toEqual([
      'ID     COUNT  WHY           REST',
      'first      7  the site wa…  rrrrrrrrrr',
    ]);
    expect(table(full, columns, { ...plain, widthColumns: 37 }, '').split('\n')).toEqual([
      'ID     COUNT  WHY',
      'first      7  the site was down for …',
      '(no room for REST: a wider window or --json shows them)',
    ]);
    expect(table(full, columns, { ...plain, widthColumns: 3 }, '').split('\n')).toEqual([
      'ID',
      'fi…',
      '(no room for COUNT, WHY, REST: a wider window or --json shows them)',
    ]);
  });

  it('gives colours without moving anything', () => {
    const coloured = table(rows, columns, { ...plain, hasColour: true }, '');
    expect(coloured).toContain('\u001b[31m1234\u001b[39m');
    expect(withoutColours(coloured)).toBe(table(rows, columns, plain, ''));
  });
});
