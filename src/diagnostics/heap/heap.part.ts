/*
 * endpoint               parameter  values               unit   cost
 * GET /diagnostics/heap  limit      1 … 200, default 50  sites  O(samples) and a read of the sampler, under a millisecond each;
 *                        format     json, text           –      keeps the sampler running (some per cent of the processor) for 15 min
 *
 * Anything else is refused with 400. Where the heap cannot be sampled, `sampling.unavailable` says why.
 */
import { getHeapStatistics } from 'node:v8';
import { z } from 'zod';
import { type HeapAnswer, heapSchema } from '../../contract/heap.schema.js';
import type { DiagnosticsPart } from '../diagnostics-part.js';
import { endpoint, type Endpoint } from '../http/endpoint.js';
import { formatSchema, jsonOrText, wholeNumber } from '../http/http-query.js';
import type { HeapLease } from './heap-lease.js';
import { heapText } from './heap-text.js';
import { heapTree } from './heap-tree.js';

/** Heap memory by the function that allocated it. */
export class HeapPart implements DiagnosticsPart {
  readonly endpoints: readonly Endpoint[] = [
    endpoint({
      method: 'GET',
      path: '/diagnostics/heap',
      summary: 'Heap memory by the function that allocated it, with growth, and as the tree of a flame graph.',
      query: z.strictObject({ limit: wholeNumber(1, 200).default(50), format: formatSchema }),
      answers: { 'application/json': heapSchema, 'text/plain': null },
      startsWork: true,
      answer: async ({ query: { limit, format } }) => {
        const answer = await this.read(limit);
        return jsonOrText(format, answer, () => heapText(answer));
      },
    }),
  ];

  constructor(private readonly lease: HeapLease) {}

  /** Never rejects. Starts the sampler, if it does not run. */
  async read(limit: number): Promise<HeapAnswer> {
    const { lease } = this;
    lease.read();
    const [sites, stacks] = [await lease.sampling.sites(), await lease.sampling.stacks()];
    const tree = heapTree(stacks);
    return {
      takenAt: Date.now(),
      sampling: lease.sampling.status(),
      heapUsedBytes: getHeapStatistics().used_heap_size,
      sampledBytes: tree.bytes,
      sites: sites.slice(0, limit),
      totalCount: sites.length,
      tree,
    };
  }
}
