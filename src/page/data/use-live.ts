import { useEffect, useRef, useState } from 'preact/hooks';
import type { LedgerGroups } from '../../contract/ledger.schema.js';
import type { History, HistorySample, Life, Lives } from '../../contract/recorder.schema.js';
import type { Verdicts } from '../../contract/verdict.schema.js';
import { ApiError, ask, askJson } from './api.js';
import { eventsOf } from './event-stream.js';

/** How often the counts are asked for while somebody looks. */
const REFRESH_MS = 3_000;
/** Points of the chart that are kept; the rest is a request for history away. */
const MAX_SAMPLES = 1_500;
const RETRY_MS = 2_000;

export type Connection =
  | { state: 'connecting' }
  | { state: 'live' }
  /** It answered before; `sinceAt` is the last word. */
  | { state: 'gone'; sinceAt: number; reason: string }
  | { state: 'locked'; status: number; message: string };

export interface Live {
  connection: Connection;
  verdicts: Verdicts | null;
  groups: LedgerGroups | null;
  samples: readonly HistorySample[];
  current: Life | null;
  previous: readonly Life[];
  /** Samples of the latest of them, oldest first. */
  previousSamples: readonly HistorySample[];
  /** When the counts on the page were taken. */
  takenAt: number | null;
}

const nothing: Live = {
  connection: { state: 'connecting' },
  verdicts: null,
  groups: null,
  samples: [],
  current: null,
  previous: [],
  previousSamples: [],
  takenAt: null,
};

/**
 * What the process says, kept up to date: counts and verdicts are asked for every few seconds, samples come as they are
 * taken. Nothing is asked for while the tab is hidden or the page is paused.
 * @param attempt a change begins anew: after a token was given
 */
export function useLive(paused: boolean, attempt: number): Live {
  const [live, setLive] = useState<Live>(nothing);
  const pausedNow = useRef(paused);
  pausedNow.current = paused;

  useEffect(() => {
    const leaving = new AbortController();
    const { signal } = leaving;
    const merge = (change: Partial<Live>): void => {
      if (!signal.aborted) setLive((before) => ({ ...before, ...change }));
    };
    const failed = (error: unknown): void => {
      if (signal.aborted) return;
      if (error instanceof ApiError && (error.status === 401 || error.status === 403)) {
        merge({ connection: { state: 'locked', status: error.status, message: error.message } });
        return;
      }
      // Being told to come back later is an answer.
      if (error instanceof ApiError && error.status === 429) return;
      const reason = error instanceof Error ? error.message : String(error);
      setLive((before) =>
        before.connection.state === 'gone'
          ? before
          : { ...before, connection: { state: 'gone', sinceAt: before.takenAt ?? Date.now(), reason } },
      );
    };

    /** Tells one process from the next under the same address. */
    let ledgerStartedAt: number | null = null;
    const loadPast = async (): Promise<void> => {
      const [history, lives] = await Promise.all([
        askJson<History>('diagnostics/history', signal),
        askJson<Lives>('diagnostics/lives', signal),
      ]);
      const { current, previous } = lives;
      merge({ samples: history.samples.slice(-MAX_SAMPLES), current, previous, previousSamples: [] });
      const [latest] = previous;
      if (latest?.lastSample == null) return;
      // Nobody waits for it: what is alive is more urgent than what was.
      askJson<History>(`diagnostics/history?life=${encodeURIComponent(latest.id)}`, signal)
        .then(({ samples }) => merge({ previousSamples: samples }))
        .catch(() => merge({ previousSamples: [latest.lastSample!] }));
    };
    const refresh = async (): Promise<void> => {
      const [groups, verdicts] = await Promise.all([
        askJson<LedgerGroups>('diagnostics/groups?limit=200', signal),
        askJson<Verdicts>('diagnostics/verdicts', signal),
      ]);
      const isAnother = ledgerStartedAt !== null && groups.ledger.startedAt !== ledgerStartedAt;
      ledgerStartedAt = groups.ledger.startedAt;
      if (isAnother) await loadPast();
      merge({ groups, verdicts, takenAt: groups.takenAt, connection: { state: 'live' } });
    };

    const poll = async (): Promise<void> => {
      let loaded = false;
      while (!signal.aborted) {
        if (!document.hidden && !pausedNow.current) {
          try {
            await refresh();
            if (!loaded) {
              await loadPast();
              loaded = true;
            }
          } catch (error) {
            failed(error);
            // What answers next may be the next life.
            loaded = false;
          }
        }
        await pause(REFRESH_MS, signal);
      }
    };
    const follow = async (): Promise<void> => {
      while (!signal.aborted) {
        try {
          if (!document.hidden && !pausedNow.current) {
            const response = await ask('diagnostics/live', { signal, headers: { Accept: 'text/event-stream' } });
            for await (const { event, data } of eventsOf(response.body!)) {
              if (document.hidden || pausedNow.current) break;
              if (event !== 'sample') continue;
              const sample = JSON.parse(data) as HistorySample;
              setLive((before) => ({ ...before, samples: withSample(before.samples, sample) }));
            }
          }
        } catch {
          // `poll` tells whether the process is gone.
        }
        await pause(RETRY_MS, signal);
      }
    };
    void poll();
    void follow();
    return () => leaving.abort();
  }, [attempt]);

  return live;
}

function withSample(samples: readonly HistorySample[], sample: HistorySample): HistorySample[] {
  const earlier = samples.filter(({ at }) => at < sample.at);
  return [...earlier.slice(1 - MAX_SAMPLES), sample];
}

/** Ends early when the page goes, and when a hidden tab is looked at again. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', onShown);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const onShown = (): void => {
      if (!document.hidden) end();
    };
    const timer = setTimeout(end, ms);
    document.addEventListener('visibilitychange', onShown);
    signal.addEventListener('abort', end);
  });
}
