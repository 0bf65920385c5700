import { setTimeout as sleep } from 'node:timers/promises';

const POLL_EVERY_MS = 250;
const FINAL = new Set(['succeeded', 'failed', 'cancelled', 'timed-out']);

/** Follows the runs of commander and tells each one that has ended. */
export class RunWatch {
  constructor(client, tell) {
    this.client = client;
    this.tell = tell;
    this.since = Date.now() - 60_000;
    /** Ended runs, oldest first. */
    this.ended = [];
    this.seen = new Set();
  }

  /** Watches until `isEnough(ended runs)` or for `timeoutMs`; returns whether it was enough. */
  async until(isEnough, timeoutMs) {
    const deadlineAt = Date.now() + timeoutMs;
    for (;;) {
      await this.look();
      if (isEnough(this.ended)) return true;
      if (Date.now() >= deadlineAt) return false;
      await sleep(POLL_EVERY_MS);
    }
  }

  async look() {
    const { items } = await this.client.runs.list({ since: this.since, limit: 200 });
    const news = items.filter(({ runId, state }) => FINAL.has(state) && !this.seen.has(runId));
    news.sort((a, b) => a.finishedAt - b.finishedAt);
    for (const run of news) {
      this.seen.add(run.runId);
      this.ended.push(run);
      this.tell(run);
    }
  }
}

/** How many of these runs succeeded, by a property of them. */
export function succeededBy(runs, property) {
  const counts = {};
  for (const run of runs) if (run.state === 'succeeded') counts[run[property]] = (counts[run[property]] ?? 0) + 1;
  return counts;
}
