import type { Life } from '../../contract/recorder.schema.js';
import { bytes, clock, duration } from '../words/format.js';
import { endWords } from '../words/verdict-words.js';

interface Props {
  current: Life | null;
  previous: readonly Life[];
}

/** Earlier runs of this instance: how they ended, and what they said last. */
export function LivesList({ current, previous }: Props) {
  return (
    <section aria-labelledby="lives-title">
      <h2 id="lives-title">Previous lives</h2>
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
                  ` at ${clock(life.endedAt)}, after ${duration(life.endedAt - life.startedAt)}`}
                {life.lastSample && `; last seen with ${bytes(life.lastSample.rssBytes)} resident`}
                {life.lastSample?.limitBytes != null && ` of ${bytes(life.lastSample.limitBytes)}`}
              </p>
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
