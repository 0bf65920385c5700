import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { verdictParameterTable } from '../../../src/ledger/verdict/verdict-parameters';

const checkout = resolve(__dirname, '../../..');
const entries = Object.entries(verdictParameterTable);

function sourcesIn(folder: string): string {
  return readdirSync(join(checkout, folder))
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(checkout, folder, name), 'utf8'))
    .join('\n');
}

describe('the parameters of the verdict', () => {
  it('are in docs/verdicts.md as they are in the source, all of them, in the same order', () => {
    const page = readFileSync(join(checkout, 'docs/verdicts.md'), 'utf8');
    const table = /<!-- parameters -->([^]*)<!-- end of parameters -->/.exec(page)?.[1] ?? '';
    const rows = table.split('\n').filter((line) => line.startsWith('| `'));
    expect(rows).toEqual(
      entries.map(([name, { value, unit, reason }]) => `| \`${name}\` | ${value} ${unit} | ${reason} |`),
    );
  });

  it('each have a reason of their own', () => {
    for (const [, { reason }] of entries) expect(reason).toMatch(/^.{20,}\.$/);
    expect(new Set(entries.map(([, { reason }]) => reason)).size).toBe(entries.length);
  });

  it('are each used by the detector or the watch that feeds it', () => {
    const sources = sourcesIn('src/ledger/verdict') + sourcesIn('src/ledger/watch');
    expect(
      entries.map(([name]) => name).filter((name) => !new RegExp(`parameters\\.${name}\\b`).test(sources)),
    ).toEqual([]);
  });
});
