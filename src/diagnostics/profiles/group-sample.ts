import type { LedgerCount } from '../../ledger/index.js';
import type { PprofFrame } from './pprof-frame.js';
import { namedFrame } from './profile.js';

/** Innermost first; ends in what stands for a line where there is none. */
export function stackOf({ stack, provider, overflow }: LedgerCount): readonly PprofFrame[] {
  if (overflow) return [...stack, namedFrame(overflow)];
  if (provider) return [...stack, namedFrame(`provider ${provider}`)];
  return stack.length > 0 ? stack : [namedFrame('(no line)')];
}

/** Of each its key, then its text. */
export function labelsOf({ id, kind, via, exact }: LedgerCount): string[] {
  const labels = via ? ['kind', kind, 'via', via, 'group', id] : ['kind', kind, 'group', id];
  if (!exact) labels.push('estimate', 'yes');
  return labels;
}
