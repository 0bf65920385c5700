import { useCallback, useEffect, useState } from 'preact/hooks';
import type { LedgerGroups } from '../contract/ledger.schema.js';
import { storeToken } from './data/token.js';
import { useLive } from './data/use-live.js';
import { Banner } from './parts/banner.js';
import { ComparisonTable } from './parts/comparison-table.js';
import { GroupDialog } from './parts/group-dialog.js';
import { GroupsTable } from './parts/groups-table.js';
import { HeapView } from './parts/heap-view.js';
import { KindsTable } from './parts/kinds-table.js';
import { LivesList } from './parts/lives-list.js';
import { MemoryChart } from './parts/memory-chart.js';
import { SuspectsList } from './parts/suspects-list.js';
import { TokenForm } from './parts/token-form.js';
import { Toolbar } from './parts/toolbar.js';

/** The page: is something leaking, what, made where, how fast, until when, since when. */
export function App() {
  const [paused, setPaused] = useState(false);
  const [attempt, setAttempt] = useState(0);
  const [marked, setMarked] = useState<LedgerGroups | null>(null);
  const [kind, setKind] = useState<string | null>(null);
  const [groupId, setGroupId] = useState<string | null>(null);
  const live = useLive(paused, attempt);
  const { connection, verdicts, groups, samples, current, previous, previousSamples } = live;

  useEffect(() => {
    document.title = verdicts ? `${verdicts.state === 'leaking' ? '⚠ ' : ''}Diagnostics` : 'Diagnostics';
  }, [verdicts?.state]);
  const close = useCallback(() => setGroupId(null), []);

  if (connection.state === 'locked') {
    return (
      <TokenForm
        status={connection.status}
        message={connection.message}
        onToken={(token) => {
          storeToken(token);
          setAttempt((before) => before + 1);
        }}
      />
    );
  }
  return (
    <>
      <a class="skip" href="#suspects">
        Skip to what grows
      </a>
      <Toolbar
        live={live}
        paused={paused}
        marked={marked}
        onPause={() => setPaused((before) => !before)}
        onMark={() => setMarked(marked ? null : groups)}
      />
      <main>
        <Banner connection={connection} verdicts={verdicts} takenAt={live.takenAt} paused={paused} />
        <SuspectsList verdicts={verdicts} onOpen={setGroupId} />
        {marked && groups && <ComparisonTable before={marked} after={groups} onOpen={setGroupId} />}
        <MemoryChart samples={samples} current={current} previous={previous[0]} previousSamples={previousSamples} />
        <KindsTable groups={groups} samples={samples} chosen={kind} onChoose={setKind} />
        <GroupsTable groups={groups} kind={kind} onOpen={setGroupId} onAll={() => setKind(null)} />
        <HeapView />
        <LivesList current={current} previous={previous} />
      </main>
      {groupId !== null && <GroupDialog id={groupId} groups={groups} onClose={close} />}
    </>
  );
}
