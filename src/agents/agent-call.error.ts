import type { ErrorCode } from '../contract/command-error.js';

/**
 * `unreachable`: no connection, nothing was delivered. `lost`: the connection broke after sending, the agent may have
 * done the work. `timeout`: no answer by the deadline. `busy`: the agent refused and has not begun. `job`: the handler failed.
 * `protocol`: what came back is not an answer of the contract. `aborted`: the caller gave up.
 */
export type AgentCallErrorKind = 'unreachable' | 'lost' | 'timeout' | 'busy' | 'job' | 'protocol' | 'aborted';

/** How the use of a place ended, for the agent's statistics and health. */
export type PlaceOutcome = 'succeeded' | 'job-error' | 'agent-error' | 'timeout' | 'abandoned';

const outcomes: Record<AgentCallErrorKind, PlaceOutcome> = {
  unreachable: 'agent-error',
  lost: 'agent-error',
  timeout: 'timeout',
  // An agent that answers "not now" works; whether it is worth asking again is the router's business.
  busy: 'abandoned',
  job: 'job-error',
  protocol: 'agent-error',
  aborted: 'abandoned',
};

/** A call to an agent that brought no result. `code` is what a run that fails for it should carry. */
export class AgentCallError extends Error {
  override readonly name = 'AgentCallError';

  constructor(
    readonly kind: AgentCallErrorKind,
    readonly code: ErrorCode,
    message: string,
    /** What to hand to `AgentPlace.release`. */
    readonly outcome: PlaceOutcome = outcomes[kind],
    /** What the agent sent as `details` of its error. */
    readonly details?: Record<string, unknown>,
  ) {
    super(message);
  }
}
