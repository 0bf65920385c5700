import { CommandError } from '../contract/command-error.js';
import { agentOwnCommands } from '../contract/agent.schema.js';

/** What a token opens. Patterns are exact, or end in `*`. */
export interface GrantSpec {
  /** For log lines; tells nothing about the token. */
  readonly name: string;
  readonly namespaces: readonly string[];
  readonly commands: readonly string[];
  /** Ids for which `agent.register`, `.heartbeat` and `.deregister` may be sent. Absent: any. */
  readonly agentIds?: readonly string[];
}

class PatternSet {
  private readonly exact: ReadonlySet<string>;
  private readonly beginnings: readonly string[];

  constructor(patterns: readonly string[]) {
    this.exact = new Set(patterns.filter((pattern) => !pattern.endsWith('*')));
    this.beginnings = patterns.filter((pattern) => pattern.endsWith('*')).map((pattern) => pattern.slice(0, -1));
  }

  has(text: string): boolean {
    return this.exact.has(text) || this.beginnings.some((beginning) => text.startsWith(beginning));
  }
}

/** Decides which commands a caller may send. */
export class Grant {
  private readonly namespaces: PatternSet;
  private readonly commands: PatternSet;
  private readonly agentIds: PatternSet | undefined;

  constructor(readonly spec: GrantSpec) {
    this.namespaces = new PatternSet(spec.namespaces);
    this.commands = new PatternSet(spec.commands);
    this.agentIds = spec.agentIds && new PatternSet(spec.agentIds);
  }

  /**
   * @param request validated
   * @throws CommandError FORBIDDEN
   */
  assertPermits(pattern: string, request: { namespace?: string; agentId?: string }): void {
    if (!this.commands.has(pattern)) throw this.refusal(`command ${pattern}`);
    if (!this.namespaces.has(request.namespace ?? 'default')) throw this.refusal(`namespace ${request.namespace}`);
    if (this.agentIds === undefined || !agentOwnCommands.includes(pattern)) return;
    if (!this.agentIds.has(request.agentId ?? '')) throw this.refusal(`agent ${request.agentId}`);
  }

  private refusal(what: string): CommandError {
    return new CommandError('FORBIDDEN', `the token ${JSON.stringify(this.spec.name)} is not for ${what}`);
  }
}

/** Opens everything: the token of COMMANDER_TOKEN, or no token where none is asked for. */
export const unlimitedGrant = new Grant({ name: 'COMMANDER_TOKEN', namespaces: ['*'], commands: ['*'] });
