import type { Life, Lives } from '../../contract/recorder.schema.js';
import { cleanText } from '../text/clean-text.js';
import { placeText } from '../text/place-text.js';
import { bytesText, countText, durationText } from '../../contract/amount-text.js';
import { instantText } from '../text/instant-text.js';

const ends: Record<Life['end'], string> = {
  running: 'runs',
  clean: 'ended in an orderly way',
  crashed: 'crashed',
  'killed-near-limit': 'was killed near its memory limit',
  killed: 'was killed',
  unknown: 'ended in an unknown way',
};

/** Lives as paragraphs: how each ended, what it was like at last, what was leaking. */
export function livesText({ current, previous, instances, unread }: Lives): string {
  const others = instances.filter(({ instance }) => instance !== current.instance);
  return [
    ...[current, ...previous].map(lifeText),
    ...(unread === null ? [] : [`lives that only Redis keeps are missing: ${cleanText(unread)}\n`]),
    ...(others.length === 0
      ? []
      : [
          `other instances: ${others.map(({ instance, lastAt }) => `${instance} (${instantText(lastAt)})`).join(', ')}\n`,
        ]),
  ].join('\n');
}

/** One life as a paragraph. */
export function lifeText(life: Life): string {
  const { id, pid, startedAt, endedAt, end, exitCode, lastSample, verdicts, evidence } = life;
  const code = exitCode === null ? '' : ` with exit code ${exitCode}`;
  const moment = endedAt === null ? '' : `, ${instantText(endedAt)}`;
  const lines = [
    `${id} ${ends[end]}${code}${moment}`,
    `  process ${pid}, since ${instantText(startedAt)}${endedAt === null ? '' : `, for ${durationText(Math.max(0, endedAt - startedAt))}`}`,
  ];
  if (lastSample !== null) {
    const { rssBytes, heapUsedBytes, externalBytes, nativeBytes, limitBytes, growing } = lastSample;
    const limit = limitBytes === null ? '' : ` of ${bytesText(limitBytes)}`;
    lines.push(
      `  last seen ${instantText(lastSample.at)}: RSS ${bytesText(rssBytes)}${limit}, heap ${bytesText(heapUsedBytes)}, external ${bytesText(externalBytes)}, native ${bytesText(nativeBytes)}`,
      ...growing.map(
        ({ kind, live, ratePerSecond, site }) =>
          `  grew: ${countText(live)} ${cleanText(kind)}, +${ratePerSecond}/s${site === null ? '' : `, made at ${placeText(site)}`}`,
      ),
    );
  }
  lines.push(
    ...verdicts.map(({ state, sentence }) => `  ${state}: ${cleanText(sentence)}`),
    ...evidence.map(({ name, bytes }) => `  evidence: ${name} (${bytesText(bytes)})`),
  );
  return lines.map((line) => `${line}\n`).join('');
}
