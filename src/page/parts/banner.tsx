import { durationText } from '../../contract/amount-text.js';
import type { Verdicts } from '../../contract/verdict.schema.js';
import type { Connection } from '../data/use-live.js';
import { clock } from '../words/format.js';
import { stateWords } from '../words/verdict-words.js';

interface Props {
  connection: Connection;
  verdicts: Verdicts | null;
  takenAt: number | null;
  paused: boolean;
}

const isGrowing = (state: Verdicts['state']): boolean => state === 'leaking' || state === 'growing';

/** The first thing to know. Read out by screen readers when it changes. */
export function Banner({ connection, verdicts, takenAt, paused }: Props) {
  const gone = connection.state === 'gone';
  const state = gone ? 'gone' : (verdicts?.state ?? 'connecting');
  return (
    <section class={`banner ${state}`} role="status" aria-live="polite" data-state={state}>
      {gone && (
        <p class="stale">
          The process does not answer since {clock(connection.sinceAt)} ({connection.reason}). What follows is its last
          word; this page goes on asking.
        </p>
      )}
      <h1>{verdicts ? stateWords[verdicts.state] : gone ? 'No answer' : 'Asking the process…'}</h1>
      {verdicts && <p class="sentence">{verdicts.sentence}</p>}
      {verdicts && (
        <p class="asof">
          {paused ? 'Paused at' : 'As of'} {takenAt === null ? '–' : clock(takenAt)}
          {/* Where nothing grows the sentence says for how long it was watched. */}
          {isGrowing(verdicts.state) ? `, watched for ${durationText(verdicts.watchedMs)}` : ''}.
        </p>
      )}
    </section>
  );
}
