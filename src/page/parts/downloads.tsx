import { useState } from 'preact/hooks';
import { ApiError } from '../data/api.js';
import { takeAway } from '../data/take-away.js';

interface Download {
  label: string;
  path: string;
  file: string;
}

const downloads: readonly Download[] = [
  { label: 'Handles (pprof)', path: 'diagnostics/profiles/handles', file: 'handles.pb.gz' },
  { label: 'Heap (pprof)', path: 'diagnostics/profiles/heap', file: 'heap.pb.gz' },
  { label: 'CPU, 10 s (pprof)', path: 'diagnostics/profiles/cpu?seconds=10', file: 'cpu.pb.gz' },
  { label: 'Groups (JSON)', path: 'diagnostics/groups?limit=200', file: 'groups.json' },
  { label: 'Verdicts (JSON)', path: 'diagnostics/verdicts', file: 'verdicts.json' },
  { label: 'History (JSON)', path: 'diagnostics/history', file: 'history.json' },
];

/** Files to take away. */
export function Downloads() {
  const [word, setWord] = useState('');
  const take = async ({ label, path, file }: Download): Promise<void> => {
    setWord(`${label}: asking…`);
    try {
      await takeAway(path, file);
      setWord('');
    } catch (error) {
      setWord(`${label}: ${error instanceof ApiError ? error.message : String(error)}`);
    }
  };
  return (
    <details class="menu">
      <summary>Download</summary>
      <ul>
        {downloads.map((download) => (
          <li key={download.file}>
            <button type="button" class="link" onClick={() => void take(download)}>
              {download.label}
            </button>
          </li>
        ))}
      </ul>
      <p role="status">{word}</p>
    </details>
  );
}
