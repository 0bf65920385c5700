import { useEffect, useRef, useState } from 'preact/hooks';
import { bytesText, countText, durationText, rateText } from '../../contract/amount-text.js';
import type { LedgerGroups } from '../../contract/ledger.schema.js';
import { ApiError, askJson } from '../data/api.js';
import { placeOf } from '../words/place.js';
import { StackList } from './stack-list.js';

type Group = LedgerGroups['groups'][number];

interface Props {
  id: string;
  groups: LedgerGroups | null;
  onClose: () => void;
}

/** One group: its stack, how many, how old. A modal dialog, so that the keyboard stays inside and Escape leaves. */
export function GroupDialog({ id, groups, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [asked, setAsked] = useState<Group | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const group = groups?.groups.find((candidate) => candidate.id === id) ?? asked;

  useEffect(() => {
    dialog.current?.showModal();
    const leaving = new AbortController();
    askJson<Group>(`diagnostics/groups/${encodeURIComponent(id)}`, leaving.signal).then(setAsked, (error: unknown) => {
      if (!leaving.signal.aborted) setFailure(error instanceof ApiError ? error.message : String(error));
    });
    return () => leaving.abort();
  }, [id]);

  return (
    <dialog ref={dialog} onClose={onClose} aria-labelledby="group-title">
      <form method="dialog">
        <button type="submit" class="close">
          Close
        </button>
      </form>
      <h2 id="group-title">{group ? group.kind : id}</h2>
      {group ? (
        <>
          <p class="place">{placeOf(group)}</p>
          <dl class="facts">
            <Fact name="Live" value={`${group.exact ? '' : '≈'}${countText(group.live)}`} />
            {group.liveBytes !== undefined && <Fact name="Bytes" value={bytesText(group.liveBytes)} />}
            <Fact name="Growth" value={rateText(group.ratePerSecond)} />
            <Fact name="Made" value={countText(group.created)} />
            <Fact name="Closed" value={countText(group.closed)} />
            <Fact name="Dropped open" value={countText(group.collectedOpen)} />
            <Fact name="Peak" value={countText(group.peak)} />
            {group.ageMs && <Fact name="Mean age" value={durationText(group.ageMs.mean)} />}
            {group.ageMs && <Fact name="Oldest" value={durationText(group.ageMs.oldest)} />}
            {group.lifetimeMs && (
              <Fact
                name="Usual life"
                value={`${durationText(group.lifetimeMs.median)} (95 %: ${durationText(group.lifetimeMs.p95)})`}
              />
            )}
          </dl>
          {!group.exact && (
            <p class="quiet">
              Made so fast that a random share is captured: the counts are estimates, ±{countText(group.error)}.
            </p>
          )}
          <h3>Made by</h3>
          <StackList frames={group.stack} />
        </>
      ) : (
        <p role="status">{failure ?? 'Asking…'}</p>
      )}
    </dialog>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
