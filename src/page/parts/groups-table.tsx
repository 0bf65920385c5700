import type { LedgerGroups } from '../../contract/ledger.schema.js';
import { bytes, count, duration, rate } from '../words/format.js';
import { placeOf } from '../words/place.js';

interface Props {
  groups: LedgerGroups | null;
  kind: string | null;
  onOpen: (groupId: string) => void;
  onAll: () => void;
}

/** Shown at once; more are a click on their kind away. */
const MAX_ROWS = 50;

/** A first one, or a few more, is no growth that the eye should be drawn to. */
const isGrowth = ({ ratePerSecond, live }: LedgerGroups['groups'][number]): boolean => ratePerSecond > 0 && live >= 10;
const growth = (group: LedgerGroups['groups'][number]): number => (isGrowth(group) ? group.ratePerSecond : 0);

/** What is alive, by the line that made it: fastest growing first, then most alive. */
export function GroupsTable({ groups, kind, onOpen, onAll }: Props) {
  const matching = (groups?.groups ?? [])
    .filter((group) => kind === null || group.kind === kind)
    .toSorted((a, b) => growth(b) - growth(a) || b.live - a.live);
  const rows = matching.slice(0, MAX_ROWS);
  return (
    <section aria-labelledby="groups-title">
      <h2 id="groups-title">
        Made where{kind !== null && `: ${kind}`}
        {kind !== null && (
          <button type="button" class="inline" onClick={onAll}>
            all kinds
          </button>
        )}
      </h2>
      <div class="scroll" tabIndex={0} role="region" aria-labelledby="groups-title">
        <table>
          <thead>
            <tr>
              <th scope="col" class="number">
                Live
              </th>
              <th scope="col" class="number">
                Growth
              </th>
              <th scope="col">Kind</th>
              <th scope="col">Made at</th>
              <th scope="col" class="number">
                Oldest
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((group) => (
              <tr key={group.id} data-group={group.id}>
                <td class="number">
                  {group.exact ? '' : '≈'}
                  {count(group.live)}
                  {group.liveBytes === undefined ? '' : ` (${bytes(group.liveBytes)})`}
                </td>
                <td class={`number ${isGrowth(group) ? 'up' : ''}`}>{rate(group.ratePerSecond)}</td>
                <td>{group.kind}</td>
                <td>
                  <button type="button" class="link place" onClick={() => onOpen(group.id)}>
                    {placeOf(group)}
                  </button>
                </td>
                <td class="number">{group.ageMs ? duration(group.ageMs.oldest) : '–'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {matching.length > rows.length && <p class="quiet">… and {matching.length - rows.length} more</p>}
    </section>
  );
}
