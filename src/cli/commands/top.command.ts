import { defineCommand } from '../cli-command.js';
import { flag, valueOption } from '../cli-option.js';
import { readChoice } from '../values/choice.value.js';
import { readDuration } from '../values/duration.value.js';
import { UsageError } from '../usage.error.js';

const DEFAULT_ADDRESS = 'http://127.0.0.1:6060';
const DEFAULT_INTERVAL_MS = 2_000;
const ONCE_GROUPS = 50;
const SORT_ORDERS = ['rate', 'live', 'created', 'age', 'collected'] as const;

/** `top`. */
export const topCommand = defineCommand({
  summary: 'what a process holds and what of it grows, again and again like top; keys: q leaves, p pauses, s sorts',
  words: [{ name: 'URL', summary: `where its diagnostics are served (default ${DEFAULT_ADDRESS})`, isOptional: true }],
  options: {
    interval: valueOption('DURATION', 'how often it looks (default 2s, at least 500ms)', readInterval),
    sort: valueOption('ORDER', `${SORT_ORDERS.join(', ')} (default rate)`, readChoice(SORT_ORDERS)),
    once: flag('look once and print; so it does where its output is no terminal'),
  },
  async run({ words: [address = DEFAULT_ADDRESS], options, within, token, json }) {
    const { DiagnosticsReader } = await import('../top/diagnostics-reader.js');
    const { interval = DEFAULT_INTERVAL_MS, sort = 'rate', once = false } = options;
    const secret = token ?? (process.env.DIAGNOSTICS_TOKEN || undefined);
    const reader = new DiagnosticsReader(address, secret, within().deadlineMs);
    if (once || json || !process.stdout.isTTY || process.env.TERM === 'dumb') {
      const look = await reader.look(sort, ONCE_GROUPS);
      const { topLines } = await import('../top/top-view.js');
      return {
        reply: look,
        text: (terminal) => topLines({ address: reader.address, look, sort }, terminal).join('\n'),
      };
    }
    const { TopSession } = await import('../top/top-session.js');
    await new TopSession(reader, sort, interval).run();
    return { reply: null, text: () => null };
  },
});

function readInterval(text: string): number {
  const ms = readDuration(text);
  if (ms < 500 || ms > 3_600_000) throw new UsageError(`${JSON.stringify(text)} is no interval of 500ms to 1h`);
  return ms;
}
