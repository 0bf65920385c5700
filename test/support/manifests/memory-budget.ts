import { type BufferSettings, memoryBudget, type MemoryBudget } from '../../../src/config/memory-budget.js';

const MiB = 2 ** 20;

/** V8 keeps two semi-spaces and as much again for large young objects. */
const SEMI_SPACES = 3;

/** The budget of the service with the heap divided as the flags divide it. */
export interface FlaggedBudget extends MemoryBudget {
  oldSpaceBytes: number;
  youngBytes: number;
}

/**
 * Adds up what a process with these NODE_OPTIONS may hold when every limit is reached at once.
 * @throws Error when the flags leave the size of the heap to V8.
 */
export function flaggedBudget(nodeOptions: string, values: BufferSettings): FlaggedBudget {
  const oldSpaceBytes = flagMiB(nodeOptions, '--max-old-space-size') * MiB;
  const youngBytes = flagMiB(nodeOptions, '--max-semi-space-size') * SEMI_SPACES * MiB;
  return { oldSpaceBytes, youngBytes, ...memoryBudget(oldSpaceBytes + youngBytes, values) };
}

function flagMiB(nodeOptions: string, flag: string): number {
  const value = new RegExp(`(?:^|\\s)${flag}=(\\d+)(?=\\s|$)`).exec(nodeOptions)?.[1];
  if (value === undefined) throw new Error(`NODE_OPTIONS: ${flag} is missing`);
  return Number(value);
}
