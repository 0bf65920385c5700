import type { DiagnosticsPart } from '../diagnostics-part.js';
import { HeapLease, type HeapSamplingMode } from '../heap/heap-lease.js';
import { HeapPart } from '../heap/heap.part.js';
import { ReportPart } from '../report/report.part.js';
import { SnapshotPart } from '../snapshot/snapshot.part.js';
import { GoPathsPart } from './go-paths.part.js';
import { ProfilesPart } from './profiles.part.js';
import { Profiles } from './profiles.js';
import { WrittenGroups } from './written-groups.js';

/** The parts that look deep into one process, on one sampler of the heap. */
export function profileParts(heapSampling: HeapSamplingMode = 'demand'): DiagnosticsPart[] {
  const lease = new HeapLease(heapSampling);
  const groups = new WrittenGroups();
  const profiles = new Profiles(lease, groups);
  return [
    lease,
    groups,
    new HeapPart(lease),
    new ProfilesPart(profiles),
    new GoPathsPart(profiles, lease),
    new SnapshotPart(),
    new ReportPart(),
  ];
}
