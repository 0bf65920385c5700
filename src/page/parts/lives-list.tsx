import { useState } from 'preact/hooks';
import { bytesText, durationText } from '../../contract/amount-text.js';
import type { Life } from '../../contract/recorder.schema.js';
import { ApiError } from '../data/api.js';
import { takeAway } from '../data/take-away.js';
import { clock } from '../words/format.js';
import { endWords } from '../words/verdict-words.js';

interface Props {
  current: Life | null;
  previous: readonly Life[];
}

/** Earlier runs of this instance: how they ended, and what they said last. */
export function LivesList({ current, previous }: Props) {
  const [word, setWord] = useState('');
  const take = async (name: string): Promise<void> => {
    try {
      await takeAway(`diagnostics/evidence/${encodeURIComponent(name)}`, `${name}.json`);
      setWord('');
    } catch (error) {
      setWord(`${name}: ${error instanceof ApiError ? error.message : String(error)}`);
    }
  };
  return (
    <section aria-labelledby="lives-title">
      <h2 id="lives-title">Previous lives</h2>
      <p role="status">{word}</p>
      {previous.length === 0 ? (
        <p class="empty">{current ? `None known of ${current.instance}.` : '…'}</p>
      ) : (
        <ol class="lives">
          {previous.map((life) => (
            <li key={life.id} class={life.end} data-life={life.id}>
              <p>
                <strong>{endWords[life.end] ?? life.end}</strong>
                {life.exitCode !== null && ` (exit code ${life.exitCode})`}
                {life.endedAt !== null &&
                  ` at ${clock(life.endedAt)}, after ${durationText(life.endedAt - life.startedAt)}`}
                {life.lastSample && `; last seen with ${bytesText(life.lastSample.rssBytes)} resident`}
                {life.lastSample?.limitBytes != null && ` of ${bytesText(life.lastSample.limitBytes)}`}
              </p>
              {life.evidence.map(({ name, bytes }) => (
                <p key={name}>
                  Evidence{' '}
                  <button type="button" class="link place" onClick={() => void take(name)}>
                    {name}
                  </button>{' '}
                  ({bytesText(bytes)})
                </p>
              ))}
              {life.verdicts.map((verdict) => (
                <p key={verdict.id}>{verdict.sentence}</p>
              ))}
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
