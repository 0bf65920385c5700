import type { LedgerGroups } from '../../contract/ledger.schema.js';
import { frameText } from '../words/place.js';

type Frame = LedgerGroups['groups'][number]['stack'][number];

/** The way to a resource, innermost call first. Runs of library calls are folded. */
export function StackList({ frames }: { frames: readonly Frame[] }) {
  return (
    <ol class="stack">
      {runsOf(frames).map((run, index) =>
        run[0]!.library ? (
          <li key={index} class="library">
            <details>
              <summary>
                {run.length} {run.length === 1 ? 'call' : 'calls'} in {packagesOf(run)}
              </summary>
              <ol>
                {run.map((frame, place) => (
                  <li key={place}>{frameText(frame)}</li>
                ))}
              </ol>
            </details>
          </li>
        ) : (
          run.map((frame, place) => (
            <li key={`${index}.${place}`} class="own">
              {frameText(frame)}
            </li>
          ))
        ),
      )}
    </ol>
  );
}

/** Neighbours of one sort together. */
function runsOf(frames: readonly Frame[]): Frame[][] {
  const runs: Frame[][] = [];
  for (const frame of frames) {
    const last = runs.at(-1);
    if (last && last[0]!.library === frame.library) last.push(frame);
    else runs.push([frame]);
  }
  return runs;
}

function packagesOf(run: readonly Frame[]): string {
  const names = run.map(
    ({ file }) => /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/.exec(file)?.[1] ?? 'a library',
  );
  return [...new Set(names)].join(', ');
}
