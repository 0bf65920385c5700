import type { Terminal } from '../../src/cli/output/terminal.js';
import { topLines, type TopState } from '../../src/cli/top/top-view.js';

const terminal: Terminal = { hasColour: false, now: 0, showsUtc: false };

const unread = { error: 'not read' };
const state = (verdicts: Partial<TopState['look']['verdicts']>): TopState => ({
  address: 'http://127.0.0.1:6060',
  sort: 'rate',
  look: {
    summary: { process: unread, memory: unread, heap: unread, openFds: unread, cpu: unread },
    groups: { ledger: { running: true }, groups: [], totalCount: 0 },
    verdicts: {
      takenAt: 0,
      state: 'not-leaking',
      sentence: 'Nothing leaks, watched for 2 min.',
      rss: { rssBytes: 1, heapBytes: 1, externalBytes: 0, nativeBytes: 0 },
      verdicts: [],
      ...verdicts,
    },
  },
});

it('says the verdict once, and below it the others that stand, each with its state', () => {
  const lines = topLines(
    state({
      state: 'leaking',
      sentence: 'Leaking: 300 redis clients, +2.0/s (and 1 more)',
      verdicts: [
        { state: 'leaking', sentence: '300 redis clients, +2.0/s' },
        { state: 'leaking', sentence: '300 client sockets, +2.0/s', partOf: 'the clients' },
        { state: 'growing', sentence: '12 timers, +0.1/s' },
        { state: 'retracted', sentence: '7 watchers: taken back' },
      ],
    }),
    terminal,
  );
  expect(lines.filter((line) => /leak|grow|taken/i.test(line))).toEqual([
    'Leaking: 300 redis clients, +2.0/s (and 1 more)',
    'Growing: 12 timers, +0.1/s',
  ]);
});

it('says nothing more where nothing leaks', () => {
  expect(topLines(state({}), terminal).filter((line) => /leak/i.test(line))).toEqual([
    'Nothing leaks, watched for 2 min.',
  ]);
});
