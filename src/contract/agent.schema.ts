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

/** `suspect`: ejected for a while after real errors. `draining`: takes no new run, down or not. `down`: its lease ran out. */
export const agentStates = ['up', 'suspect', 'draining', 'down'] as const;
export type AgentState = (typeof agentStates)[number];

/** Of one agent. */
export const MAX_CAPABILITIES = 500;
/** Of one agent. */
export const MAX_LABELS = 100;

const registrationShape = {
  /** Its name; one process at a time has it. */
  agentId: idSchema,
  /** Name or address where commander dials the agent. */
  host: z.string().min(1).max(253),
  /** Port where it listens there. */
  port: z.int().min(1).max(65_535),
  /** What a route can ask for by its own `labels`. */
  labels: smallRecord(idSchema, z.string().max(128), MAX_LABELS).default({}),
  /** Job names that the agent has a handler for. */
  capabilities: z.array(idSchema).max(MAX_CAPABILITIES),
  /** How many runs it is given at once, by all replicas together. */
  capacity: z.int().min(1).max(10_000).default(10),
  /** Of its software; for people, nothing depends on it. */
  version: z.string().max(64).default('0.0.0'),
  /** Larger for each new process of one agent id; a smaller one is refused. Start time in ms serves. */
  instanceEpoch: z.int().min(0),
} as const;

/** An agent as `agent.list` shows it. */
export const agentViewSchema = z
  .strictObject({
    ...registrationShape,
    /** `up`; `suspect`: ejected for a while after real errors; `draining`: takes no new run, down or not; `down`: its lease ran out. */
    state: z.enum(agentStates),
    /** Runs that hold one of its places now, over all replicas. */
    inFlight: z.int().min(0),
    /** Runs under way as the agent itself told with its last heartbeat; 0 before the first. */
    reportedInFlight: z.int().min(0),
    /** When it last registered or sent a heartbeat, by the clock of Redis. */
    lastSeenAt: replyInstantSchema,
    /** Share of failed attempts among its last 100, 0–1, those that its handlers failed included; 0 before the first. */
    errorRate: z.number().min(0).max(1),
    /** 95th percentile of the duration of the same attempts; 0 before the first. */
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
  /**
   * Stores what an agent says of itself and begins its lease; the same process may register again at any time. Errors: FORBIDDEN (the id has another
   * `identityKey`), VERSION_CONFLICT (a larger `instanceEpoch` is registered), RATE_LIMITED (MAX_AGENTS are up).
   */
  'agent.register': {
    request: requestSchema({
      ...registrationShape,
      /** A secret of 16 characters or more, asked for from now on with whatever is said about this agent; absent: none is asked for. */
      identityKey: identityKeySchema,
    }),
    reply: z.strictObject({
      /** Without a heartbeat the agent is down after this. */
      leaseMs: z.int().min(1),
      /** How often it is to send a heartbeat. */
      heartbeatEveryMs: z.int().min(1),
      /** Clock of commander's Redis. */
      serverTime: replyInstantSchema,
    }),
  },
  /** Renews the lease of the process that is registered; any other is told that it is `unknown`. Errors: FORBIDDEN (another `identityKey`). */
  'agent.heartbeat': {
    request: requestSchema({
      /** As registered. */
      agentId: idSchema,
      /** As registered. */
      instanceEpoch: z.int().min(0),
      /** Runs under way in it, shown as `reportedInFlight`; places are counted without it. */
      inFlight: z.int().min(0),
      /** The secret that it registered with, if any. */
      identityKey: identityKeySchema,
    }),
    reply: z.strictObject({
      /** Without another heartbeat the agent is down after this. */
      leaseMs: z.int().min(1),
      /** Runs to abort; told again with each heartbeat for a minute, or until the run has given its place back. */
      cancelRunIds: z.array(idSchema),
      /** Commander gives this agent no new run (`agent.drain`). */
      drain: z.boolean(),
      /** Commander does not know this agent (any more): register again. */
      unknown: z.boolean(),
    }),
  },
  /** Forgets an agent and all that is kept of it, if it is this process that is registered. Errors: FORBIDDEN (another `identityKey`). */
  'agent.deregister': {
    request: requestSchema({
      /** As registered. */
      agentId: idSchema,
      /** As registered: one that was replaced removes nothing. */
      instanceEpoch: z.int().min(0),
      /** The secret that it registered with, if any. */
      identityKey: identityKeySchema,
    }),
    reply: z.strictObject({
      /** false: another process is registered, or none. */
      removed: z.boolean(),
    }),
  },
  /**
   * Gives an agent no new run until `agent.undrain`, or until a new process of it registers; those under way end in peace. Errors: NOT_FOUND,
   * BROKEN_RECORD.
   */
  'agent.drain': {
    request: requestSchema({
      /** The agent to drain. */
      agentId: idSchema,
    }),
    reply: agentViewSchema,
  },
  /** Gives an agent runs again. Errors: NOT_FOUND, BROKEN_RECORD. */
  'agent.undrain': {
    request: requestSchema({
      /** The agent that was drained. */
      agentId: idSchema,
    }),
    reply: agentViewSchema,
  },
  /**
   * Agents in the order of their ids. One that is down is forgotten after ten leases, but not before ten minutes. Errors: INVALID_ARGUMENT (a
   * `cursor` that no page gave).
   */
  'agent.list': {
    request: requestSchema({
      /** Only agents in this state. */
      state: z.enum(agentStates).optional(),
      ...pageShape,
    }),
    reply: pageSchema(agentViewSchema).extend({
      /** Agents whose records in Redis cannot be read: they are given nothing to do until they register anew. Each counts towards `limit`. */
      broken: z
        .array(
          z.strictObject({
            /** As it registered. */
            agentId: idSchema,
            /** What is wrong with the record. */
            why: z.string(),
          }),
        )
        .optional(),
    }),
  },
} as const;

/** Requests and replies that the agent serves to commander (`CommanderAgentModule`). */
export const agentSideCommands = {
  /**
   * Executes one dispatch of a run; the answer comes when its handler has ended. What is under way already is joined, what has succeeded lately is
   * answered again. RATE_LIMITED (at capacity), SHUTTING_DOWN (or aborted, when a drain ran out of time) and NOT_FOUND (no such handler) say that
   * nothing was begun: commander offers the attempt again. VERSION_CONFLICT: a larger `epoch` of the run was seen. Other errors are of the job, with `details.kind` `job`.
   */
  'agent.execute': {
    request: z.strictObject({
      /** The run; joins what is under way of it. */
      runId: idSchema,
      /** Which handler is called, and with what. */
      job: jobSchema,
      /** 1 for the first; one that repeats an attempt whose agent or replica was lost has its number. */
      attempt: z.int().min(1),
      /** Fencing: larger for each dispatch of the run; a smaller one than was seen is refused. */
      epoch: z.int().min(1),
      /** The same for every attempt of one run: its caller's key, for a part with its number behind it; without one the id of the run. */
      idempotencyKey: z.string().max(512),
      /** ms left for this attempt when commander sent it. */
      deadlineMs: z.int().min(1),
      /** Whose run it is; absent for submitted jobs. */
      scheduleId: idSchema.optional(),
      /** When the tick was due, without jitter; absent for runs that were submitted, triggered or made by `run.retry`. */
      tickAt: replyInstantSchema.optional(),
      /** Which part of the work this is; absent unless the route is `shard`. */
      shard: z
        .strictObject({
          /** From 0 on. */
          index: z.int().min(0),
          /** How many parts there are: one for each agent that matched. */
          total: z.int().min(1),
        })
        .optional(),
    }),
    reply: z.strictObject({
      /** What the handler returned; null for nothing. */
      result: jsonSchema,
    }),
  },
  /** Tells which process listens here, and how busy it is. Commander itself does not ask. */
  'agent.ping': {
    request: z.strictObject({}),
    reply: z.strictObject({
      /** As it registers. */
      agentId: idSchema,
      /** As it registers. */
      instanceEpoch: z.int().min(0),
      /** Handlers under way. */
      inFlight: z.int().min(0),
      /** It shuts down, or commander drains it. */
      draining: z.boolean(),
    }),
  },
  /** Aborts the handler of a run by its signal; `cancelRunIds` of a heartbeat says the same again, should this get lost. */
  'agent.cancel': {
    request: z.strictObject({
      /** The run to abort. */
      runId: idSchema,
      /** A dispatch under a larger one is left alone. */
      epoch: z.int().min(1),
      /** What the handler is told. */
      reason: z.string().max(512).optional(),
    }),
    reply: z.strictObject({
      /** false: none that fits was under way. */
      cancelled: z.boolean(),
    }),
  },
} as const;
export type AgentExecuteRequest = z.infer<(typeof agentSideCommands)['agent.execute']['request']>;
