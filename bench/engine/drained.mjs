import { setTimeout as sleep } from 'node:timers/promises';

/** Resolves when no job of a side is open. @param {{openCount(): Promise<number>, name: string}} side */
export async function drained(side, timeoutMs = 60_000) {
  const until = performance.now() + timeoutMs;
  for (;;) {
    const open = await side.openCount();
    if (open === 0) return;
    if (performance.now() > until) throw new Error(`${side.name}: ${open} jobs have not ended after ${timeoutMs} ms`);
    await sleep(20);
  }
}
