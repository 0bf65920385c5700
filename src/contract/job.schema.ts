import { z } from 'zod';
import { durationMsSchema, idSchema, jsonSchema, smallRecord } from './common.schema.js';

/** What an agent is asked to do. */
export const jobSchema = z
  .strictObject({
    /** Name under which the agent registered its handler. */
    name: idSchema,
    /** Given to the handler as it is. */
    payload: jsonSchema.default(null),
    /** Small strings for tracing and the like, given to the handler beside the payload. */
    headers: smallRecord(z.string().max(128), z.string().max(1024), 100).optional(),
  })
  .meta({ id: 'Job' });
export type Job = z.infer<typeof jobSchema>;

/** How one of several agents is chosen, or all of them are taken; see `strategy` of a route. */
export const routeStrategies = ['random', 'round-robin', 'least-loaded', 'sticky', 'broadcast', 'shard'] as const;

/** Which agents may execute a run, and how one of them is chosen. */
export const routeSchema = z
  .strictObject({
    /**
     * `round-robin`: in turn. `random`. `least-loaded`: least share of its places taken. `sticky`: by `stickyKey`. `broadcast`: all at once.
     * `shard`: all, each a part.
     */
    strategy: z.enum(routeStrategies).default('round-robin'),
    /** An agent must carry every one of these labels with this value. */
    labels: smallRecord(idSchema, z.string().max(128), 100).optional(),
    /** Only these agents. */
    agentIds: z.array(idSchema).min(1).max(100).optional(),
    /** `sticky`: runs of one key go to one agent while it is up and has a place. Default: the schedule's id, or the job's name. */
    stickyKey: z.string().min(1).max(256).optional(),
  })
  .meta({ id: 'Route' })
  .prefault({});
export type Route = z.infer<typeof routeSchema>;

/** What happens after a failed attempt. One whose agent was lost is repeated up to five times beside that, and does not count. */
export const retrySchema = z
  .strictObject({
    /** Attempts in all, the first included; 1: no retry. A failure that the handler calls final ends the run at once. */
    maxAttempts: z.int().min(1).max(100).default(3),
    /** `fixed`: each wait is `delayMs`. `exponential`: each is twice the one before. A random tenth less in either case. */
    backoff: z.enum(['fixed', 'exponential']).default('exponential'),
    /** Wait before the second attempt. */
    delayMs: durationMsSchema.default(1_000),
    /** Longest wait between two attempts, whatever `backoff` says. */
    maxDelayMs: durationMsSchema.default(60_000),
    /** Prefer an agent that has not failed this run yet. */
    onOtherAgent: z.boolean().default(true),
  })
  .meta({ id: 'Retry' })
  .prefault({});
export type Retry = z.infer<typeof retrySchema>;
