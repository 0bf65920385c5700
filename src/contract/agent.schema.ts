import { z } from 'zod';
import {
  idSchema,
  jsonSchema,
  pageSchema,
  pageShape,
  replyInstantSchema,
  requestSchema,
  smallRecord,
} from './common.schema.js';
import { jobSchema } from './job.schema.js';

/** `suspect`: ejected for a while after real errors. `draining`: takes no new run. `down`: its lease ran out. */
export const agentStates = ['up', 'suspect', 'draining', 'down'] as const;
export type AgentState = (typeof agentStates)[number];

const registrationShape = {
  agentId: idSchema,
  /** Where commander dials the agent. */
  host: z.string().min(1).max(253),
  port: z.int().min(1).max(65_535),
  labels: smallRecord(idSchema, z.string().max(128), 100).default({}),
  /** Job names that the agent has a handler for. */
  capabilities: z.array(idSchema).max(500),
  /** How many runs at once. */
  capacity: z.int().min(1).max(10_000).default(10),
  version: z.string().max(64).default('0.0.0'),
  /** Larger for each new process of one agent id; a smaller one is refused. Start time in ms serves. */
  instanceEpoch: z.int().min(0),
} as const;

/** An agent as `agent.list` shows it. */
export const agentViewSchema = z
  .strictObject({
    ...registrationShape,
    state: z.enum(agentStates),
    /** Runs that hold one of its places now, over all replicas. */
    inFlight: z.int().min(0),
    /** Runs under way as the agent itself told with its last heartbeat; 0 before the first. */
    reportedInFlight: z.int().min(0),
    lastSeenAt: replyInstantSchema,
    /** Share of failed runs among its last 100, 0–1. */
    errorRate: z.number().min(0).max(1),
    /** 95th percentile of the duration of its last 100 runs. */
    p95Ms: z.number().min(0),
  })
  .meta({ id: 'Agent' });
export type AgentView = z.infer<typeof agentViewSchema>;

/**
 * A secret of an agent. Once an agent has registered with one, only who shows it again can register under that id, send
 * heartbeats for it or deregister it, until the agent deregisters or is forgotten.
 */
const identityKeySchema = z.string().min(16).max(256).optional();

/** What an agent says about itself: nobody else may. */
export const agentOwnCommands: readonly string[] = ['agent.register', 'agent.heartbeat', 'agent.deregister'];

/** Requests and replies of `agent.*` that commander serves. */
export const agentCommands = {
  'agent.register': {
    request: requestSchema({ ...registrationShape, identityKey: identityKeySchema }),
    reply: z.strictObject({
      /** Without a heartbeat the agent is down after this. */
      leaseMs: z.int().min(1),
      heartbeatEveryMs: z.int().min(1),
      /** Time of commander's Redis. */
      serverTime: replyInstantSchema,
    }),
  },
  'agent.heartbeat': {
    request: requestSchema({
      agentId: idSchema,
      instanceEpoch: z.int().min(0),
      inFlight: z.int().min(0),
      identityKey: identityKeySchema,
    }),
    reply: z.strictObject({
      leaseMs: z.int().min(1),
      /** Runs to abort. */
      cancelRunIds: z.array(idSchema),
      /** Commander wants this agent drained. */
      drain: z.boolean(),
      /** Commander does not know this agent (any more): register again. */
      unknown: z.boolean(),
    }),
  },
  'agent.deregister': {
    request: requestSchema({ agentId: idSchema, instanceEpoch: z.int().min(0), identityKey: identityKeySchema }),
    reply: z.strictObject({ removed: z.boolean() }),
  },
  'agent.drain': { request: requestSchema({ agentId: idSchema }), reply: agentViewSchema },
  'agent.undrain': { request: requestSchema({ agentId: idSchema }), reply: agentViewSchema },
  'agent.list': {
    request: requestSchema({ state: z.enum(agentStates).optional(), ...pageShape }),
    reply: pageSchema(agentViewSchema).extend({
      /** Agents whose records in Redis cannot be read: they are given nothing to do until they register anew. Each counts towards `limit`. */
      broken: z.array(z.strictObject({ agentId: idSchema, why: z.string() })).optional(),
    }),
  },
} as const;

/** Requests and replies that the agent serves to commander (`CommanderAgentModule`). */
export const agentSideCommands = {
  'agent.execute': {
    request: z.strictObject({
      runId: idSchema,
      job: jobSchema,
      attempt: z.int().min(1),
      /** Fencing: larger for each dispatch of the run. */
      epoch: z.int().min(1),
      /** The same for every attempt of one run. */
      idempotencyKey: z.string().max(512),
      /** ms left for this attempt when commander sent it. */
      deadlineMs: z.int().min(1),
      scheduleId: idSchema.optional(),
      tickAt: replyInstantSchema.optional(),
      shard: z.strictObject({ index: z.int().min(0), total: z.int().min(1) }).optional(),
    }),
    reply: z.strictObject({ result: jsonSchema }),
  },
  'agent.ping': {
    request: z.strictObject({}),
    reply: z.strictObject({
      agentId: idSchema,
      instanceEpoch: z.int().min(0),
      inFlight: z.int().min(0),
      draining: z.boolean(),
    }),
  },
  'agent.cancel': {
    request: z.strictObject({ runId: idSchema, epoch: z.int().min(1), reason: z.string().max(512).optional() }),
    reply: z.strictObject({ cancelled: z.boolean() }),
  },
} as const;
export type AgentExecuteRequest = z.infer<(typeof agentSideCommands)['agent.execute']['request']>;
