const isColored = process.stdout.isTTY && !process.env.NO_COLOR;
const paint = (code) => (text) => (isColored ? `\u001b[${code}m${text}\u001b[0m` : text);
const bold = paint(1);
const dim = paint(2);
const green = paint(32);
const red = paint(31);
const TITLES_SHOWN = 5;

/** A heading of a part of the demo. */
export function heading(text) {
  console.log(`\n${bold(text)}`);
}

/** One ended run. */
export function showRun({ finishedAt, startedAt, scheduleId, agentId, state, attempt, result, error }) {
  const time = new Date(finishedAt).toISOString().slice(11, 23);
  const mark = state === 'succeeded' ? green('✓') : red('✗');
  const what = state === 'succeeded' ? `${result?.items?.length ?? 0} items` : `${state}: ${error?.message}`;
  const again = attempt > 1 ? `, attempt ${attempt}` : '';
  console.log(
    `  ${dim(time)} ${mark} ${(scheduleId ?? '').padEnd(16)} on ${(agentId ?? '–').padEnd(10)} ${String(finishedAt - startedAt).padStart(4)} ms  ${what}${again}`,
  );
}

/** The first titles of a list as the API serves it, with how far each has moved since an earlier look. */
export function showList({ key, url, version, ageMs, stale, items }, earlier) {
  const age = `${(ageMs / 1_000).toFixed(1)} s old${stale ? ', stale' : ''}`;
  console.log(`  ${bold(key)} ${dim(`${url}  version ${version}, ${age}`)}`);
  for (const { rank, title, key: itemKey } of items.slice(0, TITLES_SHOWN)) {
    console.log(
      `    ${String(rank).padStart(2)}. ${title} ${earlier ? dim(movement(itemKey, rank, earlier.items)) : ''}`,
    );
  }
}

function movement(itemKey, rank, earlierItems) {
  const before = earlierItems.find(({ key }) => key === itemKey);
  if (!before) return 'new';
  if (before.rank === rank) return '';
  return before.rank > rank ? `▲${before.rank - rank}` : `▼${rank - before.rank}`;
}
