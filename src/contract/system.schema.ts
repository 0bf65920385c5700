import { z } from 'zod';
import { requestSchema } from './common.schema.js';

/** Requests and replies of `system.*`. */
export const systemCommands = {
  /** What `/readyz` knows: whether this replica takes new work. Not being ready is an answer here, no error. */
  'system.health': {
    request: requestSchema({}),
    reply: z.strictObject({
      /** `ok`: takes new work. `error`: something that it needs is down. `shutting_down`: it drains, for good. */
      status: z.enum(['ok', 'error', 'shutting_down']),
      /** By name what has to be up (`redis`, `engine`, `memory`, `serving`): `status` `up` or `down`, and as `message` why it is down. */
      checks: z.record(
        z.string(),
        z.strictObject({
          /** Whether it is as it has to be. */
          status: z.enum(['up', 'down']),
          /** Why it is down. */
          message: z.string().optional(),
        }),
      ),
    }),
  },
  /** What this replica does, in numbers; `queue` is of all replicas together. Errors: UNAVAILABLE (Redis). */
  'system.stats': {
    request: requestSchema({}),
    reply: z.strictObject({
      /** Since the process started. */
      uptimeMs: z.int(),
      /** Sockets of this replica. */
      connections: z.strictObject({
        /** Command connections open now. */
        tcpCount: z.int(),
        /** How many may be open at once (MAX_CONNECTIONS). */
        tcpMaxCount: z.int(),
        /** Connections to agents, open or being opened: one for each agent that was called lately. */
        agentCount: z.int(),
      }),
      /** Commands under way here, this one included. */
      inFlightCommands: z.int(),
      /** Of this process. */
      memory: z.strictObject({
        /** Resident size. */
        rssBytes: z.int(),
        /** V8's heap in use, garbage not yet collected included. */
        heapUsedBytes: z.int(),
        /** Heap size at which V8 ends the process. */
        heapLimitBytes: z.int(),
        /** Native memory that JS objects hold, Buffers included. */
        externalBytes: z.int(),
      }),
      /** What waits or is under way. A run that began where it was made is not among the engine's three. */
      queue: z.strictObject({
        /** Handed to the engine, and taken by no replica yet. */
        waitingCount: z.int(),
        /** Taken from the engine and under way. */
        activeCount: z.int(),
        /** In the engine for later; commander itself puts none there. */
        delayedCount: z.int(),
        /** Schedules with a tick to come and runs that have not ended, together: what MAX_OPEN_RUNS bounds. */
        dueCount: z.int(),
        /** Runs that wait for a place of this replica, outside the engine. */
        waitingHereCount: z.int(),
      }),
      /** Replicas heard of in the last seconds, this one included; 0 until Redis was heard. */
      replicaCount: z.int(),
      /** How late ticks were claimed by this replica since its start, in ms after they were due. */
      lateness: z.strictObject({
        /** Ticks claimed; those of one schedule that are claimed together count as one, by the latest. */
        count: z.int(),
        /** Half of them were not later; 0 without any. */
        p50Ms: z.number(),
        /** 99 % of them were not later; 0 without any. */
        p99Ms: z.number(),
      }),
      /** What this replica handed to agents since its start. */
      dispatch: z.strictObject({
        /** Attempts, repeated ones included. */
        totalCount: z.int(),
        /** The same over the last minute. */
        perSecond: z.number(),
        /** Runs that failed for good or timed out. */
        failedCount: z.int(),
      }),
      /** Runs and due times that were lost and that this replica brought back since its start. */
      repairs: z.strictObject({
        /** All of them. */
        totalCount: z.int(),
        /** Of them, runs that were under way at a replica that is gone. */
        takeoversCount: z.int(),
      }),
    }),
  },
} as const;
