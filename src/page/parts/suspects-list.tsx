import type { Verdict, Verdicts } from '../../contract/verdict.schema.js';
import { duration, percent } from '../words/format.js';
import { stateWords, suspectStates } from '../words/verdict-words.js';

interface Props {
  verdicts: Verdicts | null;
  onOpen: (groupId: string) => void;
}

/** One sentence per suspect; a click leads to the stack. */
export function SuspectsList({ verdicts, onOpen }: Props) {
  const suspects = verdicts?.verdicts.filter(({ state }) => suspectStates.includes(state)) ?? [];
  return (
    <section id="suspects" aria-labelledby="suspects-title">
      <h2 id="suspects-title">What grows</h2>
      {suspects.length === 0 ? (
        <p class="empty">{verdicts ? 'Nothing that should not.' : '…'}</p>
      ) : (
        <ul class="suspects">
          {suspects.map((verdict) => (
            <Suspect key={verdict.id} verdict={verdict} onOpen={onOpen} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Suspect({ verdict, onOpen }: { verdict: Verdict; onOpen: (groupId: string) => void }) {
  const { id, state, subject, sentence, sinceMs, confidence, reasons } = verdict;
  return (
    <li class={state} data-verdict={id}>
      <p>
        <span class="badge">{stateWords[state]}</span>{' '}
        {subject === 'group' ? (
          <button type="button" class="link" onClick={() => onOpen(id)}>
            {sentence}
          </button>
        ) : (
          sentence
        )}
      </p>
      <details>
        <summary>
          for {duration(sinceMs)}, {percent(confidence)} sure: why
        </summary>
        <ul>
          {reasons.map((reason) => (
            <li key={reason}>{reason}</li>
          ))}
        </ul>
      </details>
    </li>
  );
}
