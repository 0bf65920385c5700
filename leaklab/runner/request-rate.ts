import type { Load } from './scenario.js';

/** Requests per second, `atMs` after the load began. */
export function rateAt(load: Load, atMs: number): number {
  if ('rate' in load) return load.rate;
  const phase = (atMs / 1_000 / load.periodSeconds) % 1;
  const height = load.shape === 'square' ? Number(phase >= 0.5) : (1 - Math.cos(2 * Math.PI * phase)) / 2;
  return load.low + (load.high - load.low) * height;
}
