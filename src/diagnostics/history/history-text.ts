import type { History, HistorySample } from '../../contract/recorder.schema.js';
import { cleanText } from '../text/clean-text.js';
import { placeText } from '../text/place-text.js';
import { textTable } from '../text/text-table.js';
import { bytesText, countText, durationText, ratioText } from '../../contract/amount-text.js';
import { instantText } from '../text/instant-text.js';

const right = (title: string) => ({ title, align: 'right' }) as const;

/** One line per sample, oldest first: what `top`, run every few seconds into a file, would have told, and more. */
export function historyText({ samples }: History): string {
  if (samples.length === 0) return 'nothing recorded yet\n';
  return textTable(
    [
      { title: 'UNTIL' },
      ...['OVER', 'CPU', 'RSS', 'HEAP', 'EXTERNAL', 'NATIVE', 'LOOP P99', 'GC', 'FDS', 'ACTIVE'].map(right),
      { title: 'GROWS FASTEST' },
    ],
    samples.map((sample) => [
      instantText(sample.at),
      durationText(Math.round(sample.intervalMs)),
      ratioText(sample.cpuRatio),
      bytesText(sample.rssBytes),
      bytesText(sample.heapUsedBytes),
      bytesText(sample.externalBytes),
      bytesText(sample.nativeBytes),
      orNothing(sample.loopDelayP99Ms, durationText),
      durationText(sample.gcMs),
      orNothing(sample.openFdsCount, countText),
      orNothing(sample.inFlightCount, countText),
      fastest(sample),
    ]),
  );
}

function fastest({ growing: [group] }: HistorySample): string {
  if (group === undefined) return '';
  const { kind, live, ratePerSecond, site } = group;
  const place = site === null ? '' : ` at ${placeText(site)}`;
  return `${countText(live)} ${cleanText(kind)} +${ratePerSecond}/s${place}`;
}

function orNothing(value: number | null, text: (value: number) => string): string {
  return value === null ? '-' : text(value);
}
