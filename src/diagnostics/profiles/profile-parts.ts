import type { DiagnosticsPart } from '../diagnostics-part.js';
import { HeapLease, type HeapSamplingMode } from '../heap/heap-lease.js';
import { GoPathsPart } from './go-paths.part.js';
import { ProfilesPart } from './profiles.part.js';
import { Profiles } from './profiles.js';

/** The parts that look into memory and processor, on one sampler of the heap. */
export function profileParts(heapSampling: HeapSamplingMode = 'demand'): DiagnosticsPart[] {
  const lease = new HeapLease(heapSampling);
  const profiles = new Profiles(lease);
  return [lease, new ProfilesPart(profiles), new GoPathsPart(profiles, lease)];
}
