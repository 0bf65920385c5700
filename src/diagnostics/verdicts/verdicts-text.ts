import type { Verdict, Verdicts } from '../../contract/verdict.schema.js';
import { bytesText } from './amount-words.js';
import { countOf } from './kind-words.js';

/** The verdicts for a terminal: the first thing to know, then each with its reasons. */
export function verdictsText({ sentence, rss, verdicts }: Verdicts): string {
  const told = verdicts.filter(
    ({ state, partOf, cause }) => (state !== 'not-leaking' && state !== 'not-enough-data' && !partOf) || cause,
  );
  const split = [
    `rss ${bytesText(rss.rssBytes)}`,
    `heap ${bytesText(rss.heapBytes)}`,
    `external ${bytesText(rss.externalBytes)}`,
    `native ${bytesText(rss.nativeBytes)}`,
  ].join('  ');
  return `${[sentence, split, ...told.map(block)].join('\n\n')}\n`;
}

function block({ state, cause, sentence, reasons, goesWith = [], confidence }: Verdict): string {
  const kin = goesWith.map(({ kind, live, liveBytes }) =>
    liveBytes === undefined ? countOf(live, kind) : `${bytesText(liveBytes)} (${kind})`,
  );
  return [
    `${cause ? 'NOT A LEAK' : state.toUpperCase()}  ${sentence}`,
    ...reasons.map((reason) => `  - ${reason}`),
    ...(kin.length > 0 ? [`  - with it: ${kin.join(', ')}`] : []),
    `  - confidence ${Math.round(confidence * 100)} %`,
  ].join('\n');
}
