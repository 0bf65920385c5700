/*
 * endpoint                    parameter  cost
 * POST /diagnostics/snapshot  –          4 … 23 times the heap in memory, 90 ms of standstill per MiB of heap; one at a time
 *
 * 412 with the figures where there is no room for it. A snapshot holds every string of the heap, secrets included.
 */
import { getHeapSnapshot, getHeapStatistics } from 'node:v8';
import { z } from 'zod';
import type { DiagnosticsPart } from '../diagnostics-part.js';
import { endpoint, type Endpoint } from '../http/endpoint.js';
import { HttpRefusal } from '../http/http-refusal.js';
import { bytesText } from '../../contract/amount-text.js';
import { type SnapshotPreflight, snapshotPreflight } from './snapshot-preflight.js';

/** A heap snapshot, for whoever asks for it in person: none is ever taken otherwise. */
export class SnapshotPart implements DiagnosticsPart {
  readonly endpoints: readonly Endpoint[] = [
    endpoint({
      method: 'POST',
      path: '/diagnostics/snapshot',
      summary: 'A heap snapshot for the memory tab of Chrome, if there is room for it; holds every string of the heap.',
      query: z.strictObject({}),
      answers: { 'application/octet-stream': null },
      refusals: ['PRECONDITION_FAILED'],
      costlySeconds: () => Math.max(1, Math.ceil(preflightNow().standstillMs / 1_000)),
      answer: () => {
        const preflight = preflightNow();
        if (!preflight.possible)
          throw new HttpRefusal('PRECONDITION_FAILED', refusal(preflight), { details: { ...preflight } });
        const name = `${process.pid}-${new Date().toISOString().replace(/[:.]/g, '-')}.heapsnapshot`;
        return {
          type: 'application/octet-stream',
          body: getHeapSnapshot(),
          headers: { 'Content-Disposition': `attachment; filename="${name}"` },
        };
      },
    }),
  ];
}

function preflightNow(): SnapshotPreflight {
  return snapshotPreflight({
    heapUsedBytes: getHeapStatistics().used_heap_size,
    availableBytes: process.availableMemory(),
  });
}

function refusal({ heapUsedBytes, requiredBytes, availableBytes }: SnapshotPreflight): string {
  return (
    `a snapshot of a heap of ${bytesText(heapUsedBytes)} may take ${bytesText(requiredBytes)} and ` +
    `${bytesText(availableBytes)} are left; /diagnostics/heap and /diagnostics/profiles/heap take next to nothing`
  );
}
