import { durationText } from '../../contract/amount-text.js';
import type { LedgerGroups } from '../../contract/ledger.schema.js';
import type { Live } from '../data/use-live.js';
import { clock } from '../words/format.js';
import { Downloads } from './downloads.js';

interface Props {
  live: Live;
  paused: boolean;
  marked: LedgerGroups | null;
  onPause: () => void;
  onMark: () => void;
}

/** Who is looked at, whether what is shown is fresh, and what can be done. */
export function Toolbar({ live: { connection, current, groups }, paused, marked, onPause, onMark }: Props) {
  const word = paused ? 'paused' : connection.state;
  return (
    <header class="toolbar">
      <p class="who">
        <span class={`dot ${word}`} aria-hidden="true" />
        <strong>{current?.instance ?? 'Diagnostics'}</strong>{' '}
        <span class="quiet">
          {word}
          {current && `, pid ${current.pid}, up ${durationText(Date.now() - current.startedAt)}`}
          {groups && !groups.ledger.running && ', the ledger is not running'}
        </span>
      </p>
      <div class="buttons" role="group" aria-label="Controls">
        <button type="button" aria-pressed={paused} onClick={onPause}>
          {paused ? 'Go on' : 'Pause'}
        </button>
        <button type="button" aria-pressed={marked !== null} disabled={groups === null} onClick={onMark}>
          {marked ? `Forget ${clock(marked.takenAt)}` : 'Mark this moment'}
        </button>
        <Downloads />
      </div>
    </header>
  );
}
