import { z } from 'zod';
import { requestSchema } from './common.schema.js';

/** Requests and replies of `system.*`. */
export const systemCommands = {
  'system.health': {
    request: requestSchema({}),
    /** What `/readyz` knows. */
    reply: z.strictObject({
      status: z.enum(['ok', 'error', 'shutting_down']),
      checks: z.record(z.string(), z.strictObject({ status: z.enum(['up', 'down']), message: z.string().optional() })),
    }),
  },
  'system.stats': {
    request: requestSchema({}),
    reply: z.strictObject({
      uptimeMs: z.int(),
      connections: z.strictObject({ tcpCount: z.int(), tcpMaxCount: z.int(), agentCount: z.int() }),
      inFlightCommands: z.int(),
      memory: z.strictObject({
        rssBytes: z.int(),
        heapUsedBytes: z.int(),
        heapLimitBytes: z.int(),
        externalBytes: z.int(),
      }),
      /** Jobs in the engine's queue by state, how many due times wait, and runs that wait for a place of this replica. */
      queue: z.strictObject({
        waitingCount: z.int(),
        activeCount: z.int(),
        delayedCount: z.int(),
        dueCount: z.int(),
        waitingHereCount: z.int(),
      }),
      /** Replicas heard of in the last seconds; 0 until Redis was heard. */
      replicaCount: z.int(),
      /** How late ticks were claimed by this replica since its start, in ms after they were due. */
      lateness: z.strictObject({ count: z.int(), p50Ms: z.number(), p99Ms: z.number() }),
      /** Runs dispatched by this replica. */
      dispatch: z.strictObject({ totalCount: z.int(), perSecond: z.number(), failedCount: z.int() }),
      /** Runs and due times that were lost and that this replica brought back; of them those that were under way at a replica that is gone. */
      repairs: z.strictObject({ totalCount: z.int(), takeoversCount: z.int() }),
    }),
  },
} as const;
