import type { HeapAnswer } from '../../contract/heap.schema.js';
import { placeText } from '../text/place-text.js';
import { textTable } from '../text/text-table.js';
import { bytesText } from '../../contract/amount-text.js';

/** The sites as aligned lines for a terminal, below a line that says what they are taken from. */
export function heapText({ sampling, heapUsedBytes, sampledBytes, sites, totalCount }: HeapAnswer): string {
  if (sampling.unavailable !== null) return `${sampling.unavailable}\n`;
  const head = `${bytesText(sampledBytes)} sampled of a heap of ${bytesText(heapUsedBytes)}, a sample per ${bytesText(sampling.intervalBytes)}\n`;
  const table = textTable(
    [
      { title: 'LIVE', align: 'right' },
      { title: 'GROWTH', align: 'right' },
      { title: 'Z', align: 'right' },
      { title: 'ALLOCATED IN' },
    ],
    sites.map(({ liveBytes, growthBytesPerSecond, confidence, site, stack }) => {
      const place = site ?? stack[0];
      return [
        bytesText(liveBytes),
        `${growthBytesPerSecond < 0 ? '-' : '+'}${bytesText(Math.abs(growthBytesPerSecond))}/s`,
        confidence.toFixed(1),
        place ? placeText(place) : '(runtime)',
      ];
    }),
  );
  const hidden = totalCount - sites.length;
  return `${head}${table}${hidden > 0 ? `… and ${hidden} more\n` : ''}`;
}
