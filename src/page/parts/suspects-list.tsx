import { countText, durationText, ratioText } from '../../contract/amount-text.js';
import type { Verdict, Verdicts } from '../../contract/verdict.schema.js';
import { stateWords, suspectStates } from '../words/verdict-words.js';

interface Props {
  verdicts: Verdicts | null;
  onOpen: (groupId: string) => void;
}

/** One sentence per suspect; a click leads to the stack. */
export function SuspectsList({ verdicts, onOpen }: Props) {
  const suspects = verdicts?.verdicts.filter(({ state }) => suspectStates.includes(state)) ?? [];
  // What grows because its owner does is told with the owner.
  const owners = suspects.filter(({ partOf }) => !suspects.some(({ id }) => id === partOf));
  return (
    <section id="suspects" aria-labelledby="suspects-title">
      <h2 id="suspects-title">What grows</h2>
      {suspects.length === 0 ? (
        <p class="empty">{verdicts ? 'Nothing that should not.' : '…'}</p>
      ) : (
        <ul class="suspects">
          {owners.map((verdict) => (
            <Suspect
              key={verdict.id}
              verdict={verdict}
              parts={suspects.filter(({ partOf }) => partOf === verdict.id)}
              onOpen={onOpen}
            />
          ))}
        </ul>
      )}
    </section>
  );
}

interface SuspectProps {
  verdict: Verdict;
  /** What it opened, and what therefore grows with it. */
  parts: readonly Verdict[];
  onOpen: (groupId: string) => void;
}

function Suspect({ verdict, parts, onOpen }: SuspectProps) {
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
          for {durationText(sinceMs)}, {ratioText(confidence)} sure: why
        </summary>
        <ul>
          {reasons.map((reason) => (
            <li key={reason}>{reason}</li>
          ))}
        </ul>
      </details>
      {parts.length > 0 && (
        <p class="quiet">
          With it grow{' '}
          {parts.map(({ id: part, kind, live }, index) => (
            <span key={part}>
              {index > 0 && ', '}
              <button type="button" class="link" onClick={() => onOpen(part)}>
                {countText(live)} {kind}
              </button>
            </span>
          ))}
          .
        </p>
      )}
    </li>
  );
}
