/*
 * endpoint                    parameter  values   unit     cost
 * GET /debug/pprof            –          –        –        redirects to the next
 * GET /debug/pprof/           –          –        –        O(groups)
 * GET /debug/pprof/handles    seconds    1 … 60   seconds  as /diagnostics/profiles/handles
 *                             debug      0, 1, 2  –        0 is pprof, the others text
 * GET /debug/pprof/goroutine  as handles
 * GET /debug/pprof/heap       seconds    1 … 60   seconds  as /diagnostics/profiles/heap
 *                             debug      0, 1, 2  –
 *                             gc         0, 1     –        none: no collection is forced
 * GET /debug/pprof/allocs     as heap
 * GET /debug/pprof/profile    seconds    1 … 60   seconds  as /diagnostics/profiles/cpu; default 30
 * GET /debug/pprof/cmdline    –          –        –        none
 *
 * The names and parameters of Go's net/http/pprof, so that what is made for it works here.
 */
import { z } from 'zod';
import { ledgerCountsNow } from '../../ledger/index.js';
import { shownCommandLine } from '../command-line.js';
import type { DiagnosticsPart } from '../diagnostics-part.js';
import type { HeapLease } from '../heap/heap-lease.js';
import { endpoint, type Endpoint } from '../http/endpoint.js';
import { pprofIndex } from './pprof-index.js';
import { profileAnswers, profileSeconds } from './profiles.part.js';
import type { Profiles } from './profiles.js';

const debugSchema = z.enum(['0', '1', '2']).default('0');
const handlesQuery = z.strictObject({ seconds: profileSeconds.optional(), debug: debugSchema });
const heapQuery = handlesQuery.extend({ gc: z.enum(['0', '1']).optional() });
const nothing = z.strictObject({});

/** The profiles where Go's tools and pull-profilers look for them. */
export class GoPathsPart implements DiagnosticsPart {
  readonly endpoints: readonly Endpoint[];

  constructor(
    private readonly profiles: Profiles,
    private readonly lease: HeapLease,
  ) {
    this.endpoints = [
      endpoint({
        method: 'GET',
        path: '/debug/pprof',
        summary: 'Leads to the index of profiles.',
        query: nothing,
        answers: { 'text/plain': null },
        status: 301,
        // Relative, because the application may stand below a prefix.
        answer: () => ({
          type: 'text/plain; charset=utf-8',
          body: 'pprof/\n',
          headers: { Location: 'pprof/' },
        }),
      }),
      endpoint({
        method: 'GET',
        path: '/debug/pprof/',
        summary: 'The profiles, with what is alive now.',
        query: nothing,
        answers: { 'text/html': null },
        answer: () => ({
          type: 'text/html; charset=utf-8',
          body: pprofIndex(ledgerCountsNow(), this.lease.sampling.status()),
        }),
      }),
      this.handles('/debug/pprof/handles', 'Live resources by the line that made them.'),
      this.handles(
        '/debug/pprof/goroutine',
        'The same: what a Go program would leak as goroutines leaks as handles here.',
      ),
      this.heap('/debug/pprof/heap', 'Live heap by the function that allocated it.'),
      this.heap('/debug/pprof/allocs', 'The same: V8 forgets what is dead.'),
      endpoint({
        method: 'GET',
        path: '/debug/pprof/profile',
        summary: 'Processor time of the next seconds by function.',
        query: z.strictObject({ seconds: profileSeconds.default(30) }),
        answers: { 'application/octet-stream': null },
        refusals: ['UNAVAILABLE'],
        costlySeconds: ({ seconds }) => seconds,
        answer: ({ query: { seconds }, signal }) => profiles.cpu({ seconds, signal }),
      }),
      endpoint({
        method: 'GET',
        path: '/debug/pprof/cmdline',
        summary: 'The program and its main file; arguments are not shown.',
        query: nothing,
        answers: { 'text/plain': null },
        // Separated as Go does.
        answer: () => ({ type: 'text/plain; charset=utf-8', body: shownCommandLine().join('\0') }),
      }),
    ];
  }

  private handles(path: string, summary: string): Endpoint {
    return endpoint({
      method: 'GET',
      path,
      summary,
      query: handlesQuery,
      answers: profileAnswers,
      refusals: ['UNAVAILABLE'],
      costlySeconds: ({ seconds }) => seconds,
      answer: ({ query: { seconds, debug }, signal }) =>
        this.profiles.handles({ seconds, asText: debug !== '0', signal }),
    });
  }

  private heap(path: string, summary: string): Endpoint {
    return endpoint({
      method: 'GET',
      path,
      summary,
      query: heapQuery,
      answers: profileAnswers,
      startsWork: true,
      refusals: ['UNAVAILABLE'],
      costlySeconds: ({ seconds }) => seconds,
      answer: ({ query: { seconds, debug }, signal }) => this.profiles.heap({ seconds, asText: debug !== '0', signal }),
    });
  }
}
