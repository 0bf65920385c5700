import { z } from 'zod';
import { durationMsSchema, idSchema, jsonSchema, smallRecord } from './common.schema.js';

/** What an agent is asked to do. */
export const jobSchema = z
  .strictObject({
    /** Name under which the agent registered its handler. */
    name: idSchema,
    /** Given to the handler as it is. */
    payload: jsonSchema.default(null),
    /** Small strings for tracing and the like. */
    headers: smallRecord(z.string().max(128), z.string().max(1024), 100).optional(),
  })
  .meta({ id: 'Job' });
export type Job = z.infer<typeof jobSchema>;

export const routeStrategies = ['random', 'round-robin', 'least-loaded', 'sticky', 'broadcast', 'shard'] as const;

/** Which agents may execute a run, and how one of them is chosen. */
export const routeSchema = z
  .strictObject({
    strategy: z.enum(routeStrategies).default('round-robin'),
    /** An agent must carry every one of these labels with this value. */
    labels: smallRecord(idSchema, z.string().max(128), 100).optional(),
    /** Only these agents. */
    agentIds: z.array(idSchema).min(1).max(100).optional(),
    /** `sticky`: runs of one key go to one agent as long as it is up. Default: the schedule's id, or the job's name. */
    stickyKey: z.string().min(1).max(256).optional(),
  })
  .meta({ id: 'Route' })
  .prefault({});
export type Route = z.infer<typeof routeSchema>;

/** What happens after a failed attempt. `maxAttempts` 1 means: no retry. */
export const retrySchema = z
  .strictObject({
    maxAttempts: z.int().min(1).max(100).default(3),
    backoff: z.enum(['fixed', 'exponential']).default('exponential'),
    /** Wait before the second attempt. */
    delayMs: durationMsSchema.default(1_000),
    /** Longest wait between attempts. */
    maxDelayMs: durationMsSchema.default(60_000),
    /** Prefer an agent that has not failed this run yet. */
    onOtherAgent: z.boolean().default(true),
  })
  .meta({ id: 'Retry' })
  .prefault({});
export type Retry = z.infer<typeof retrySchema>;
