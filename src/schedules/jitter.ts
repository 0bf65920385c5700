import { createHash } from 'node:crypto';

/**
 * By how much a tick is delayed: the same on every replica and at every look, evenly spread over `jitterMs`, different
 * for each schedule and tick.
 */
export function jitterOf(namespace: string, scheduleId: string, tickAt: number, jitterMs: number): number {
  if (jitterMs === 0) return 0;
  const digest = createHash('sha1').update(`${namespace}|${scheduleId}|${tickAt}`).digest();
  return digest.readUInt32BE(0) % (jitterMs + 1);
}
