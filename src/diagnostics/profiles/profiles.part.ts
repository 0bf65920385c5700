/*
 * endpoint                           parameter  values       unit     cost
 * GET /diagnostics/profiles/handles  seconds    1 … 60       seconds  O(groups); with seconds two reads, one at a time
 *                                    format     pprof, text  –
 * GET /diagnostics/profiles/heap     seconds    1 … 60       seconds  O(samples); the first request starts the sampler, some
 *                                    format     pprof, text  –        per cent of the processor until 15 min after the last
 * GET /diagnostics/profiles/cpu      seconds    1 … 60       seconds  100 samples a second; one at a time; default 10
 *                                    format     pprof, text  –
 *
 * Seconds beyond these are taken as the least or most. pprof is gzipped profile.proto. Anything else is refused with 400.
 */
import { z } from 'zod';
import type { DiagnosticsPart } from '../diagnostics-part.js';
import { endpoint, type Endpoint } from '../http/endpoint.js';
import { clampedSeconds } from '../http/http-query.js';
import type { Profiles } from './profiles.js';

/** How long a profile may take. */
export const profileSeconds = clampedSeconds(1, 60);

const formatSchema = z.enum(['pprof', 'text']).default('pprof');
const stateQuery = z.strictObject({ seconds: profileSeconds.optional(), format: formatSchema });
const cpuQuery = z.strictObject({ seconds: profileSeconds.default(10), format: formatSchema });

/** Media types of a profile. */
export const profileAnswers = { 'application/octet-stream': null, 'text/plain': null } as const;

/** The profiles under our own names. */
export class ProfilesPart implements DiagnosticsPart {
  readonly endpoints: readonly Endpoint[];

  constructor(profiles: Profiles) {
    this.endpoints = [
      endpoint({
        method: 'GET',
        path: '/diagnostics/profiles/handles',
        summary: 'Live resources by the line that made them, as a pprof profile; with seconds, what changes meanwhile.',
        query: stateQuery,
        answers: profileAnswers,
        refusals: ['UNAVAILABLE'],
        costlySeconds: ({ seconds }) => seconds,
        answer: ({ query: { seconds, format }, signal }) =>
          profiles.handles({ seconds, asText: format === 'text', signal }),
      }),
      endpoint({
        method: 'GET',
        path: '/diagnostics/profiles/heap',
        summary:
          'Live heap by the function that allocated it, as a pprof profile; with seconds, what changes meanwhile.',
        query: stateQuery,
        answers: profileAnswers,
        startsWork: true,
        refusals: ['UNAVAILABLE'],
        costlySeconds: ({ seconds }) => seconds,
        answer: ({ query: { seconds, format }, signal }) =>
          profiles.heap({ seconds, asText: format === 'text', signal }),
      }),
      endpoint({
        method: 'GET',
        path: '/diagnostics/profiles/cpu',
        summary: 'Processor time of the next seconds by function, as a pprof profile.',
        query: cpuQuery,
        answers: profileAnswers,
        refusals: ['UNAVAILABLE'],
        costlySeconds: ({ seconds }) => seconds,
        answer: ({ query: { seconds, format }, signal }) =>
          profiles.cpu({ seconds, asText: format === 'text', signal }),
      }),
    ];
  }
}
