/** What one caller was told about what it asked for. Times are ms since the epoch. */
export interface Acknowledged {
  /** When the command was sent, and when its answer came. */
  askedAt: number;
  answeredAt: number;
}

export interface AcknowledgedSubmit extends Acknowledged {
  key: string;
  runId: string;
}

/** The newest acknowledged declaration of one schedule, or its removal. */
export interface AcknowledgedDeclaration extends Acknowledged {
  id: string;
  /** Grows with each declaration; undefined once its removal was acknowledged. */
  number: number | undefined;
}

/** What is there when all is over. */
export interface CommandFacts {
  /** Run id → state, and the key that its submit carried. */
  runs: ReadonlyMap<string, { state: string; key: string | undefined }>;
  /** Schedule id → number of the stored declaration. */
  declarations: ReadonlyMap<string, number>;
}

export interface CommandAudit {
  acknowledgedCount: number;
  refusedCount: number;
  /** Code → how often. */
  refusals: Map<string, number>;
  slowestMs: number;
  /** What was acknowledged and is not there, in words. */
  lost: string[];
  /** What was acknowledged and was in a Redis that lost everything. */
  forgottenCount: number;
  /** What took effect more often than once although it was asked for with one key. */
  doubled: string[];
  /** Answers that no caller may get. */
  wrong: string[];
}

/** What a caller may be refused with while something is broken. */
const HONEST_REFUSALS = new Set(['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'SHUTTING_DOWN', 'RATE_LIMITED']);

/** Remembers what callers were told, and compares it with what is there in the end. */
export class CommandAccount {
  readonly submits: AcknowledgedSubmit[] = [];
  private readonly declarations = new Map<string, AcknowledgedDeclaration>();
  /** Declarations that nobody acknowledged: a commander that was frozen may find one in its socket and execute it, late. */
  private readonly pendingDeclarations = new Map<string, number>();
  private readonly refusals = new Map<string, number>();
  private acknowledgedCount = 0;
  private slowestMs = 0;

  submitted(submit: AcknowledgedSubmit): void {
    this.acknowledge(submit);
    this.submits.push(submit);
  }

  declared(declaration: AcknowledgedDeclaration): void {
    this.acknowledge(declaration);
    this.declarations.set(declaration.id, declaration);
  }

  /** A declaration that was refused, or not answered: it may take effect yet. */
  declarationPending(id: string, number: number): void {
    this.pendingDeclarations.set(id, Math.max(number, this.pendingDeclarations.get(id) ?? 0));
  }

  refused(code: string, tookMs: number): void {
    this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1);
    this.slowestMs = Math.max(this.slowestMs, tookMs);
  }

  /** @param forgottenUntil what was asked before was in a Redis that lost everything */
  audit({ runs, declarations }: CommandFacts, forgottenUntil = 0): CommandAudit {
    const lost: string[] = [];
    let forgottenCount = 0;
    const miss = ({ askedAt }: Acknowledged, what: string) => {
      if (askedAt <= forgottenUntil) forgottenCount += 1;
      else lost.push(what);
    };
    for (const submit of this.submits) {
      const run = runs.get(submit.runId);
      if (run === undefined) miss(submit, `submit ${submit.key}: run ${submit.runId} has no record`);
      else if (run.state !== 'succeeded') lost.push(`submit ${submit.key}: run ${submit.runId} is ${run.state}`);
    }
    for (const declaration of this.declarations.values()) {
      const { id, number } = declaration;
      const stored = declarations.get(id);
      if (number === undefined) {
        if (stored !== undefined && !this.pendingDeclarations.has(id)) lost.push(`removal of ${id}: it is there`);
      } else if (stored === undefined) miss(declaration, `declaration ${number} of ${id}: it is not there`);
      else if (stored < number && this.pendingDeclarations.get(id) !== stored)
        lost.push(`declaration ${number} of ${id}: ${stored} is stored`);
    }
    const refusedCount = [...this.refusals.values()].reduce((sum, count) => sum + count, 0);
    return {
      acknowledgedCount: this.acknowledgedCount,
      refusedCount,
      refusals: this.refusals,
      slowestMs: this.slowestMs,
      lost,
      forgottenCount,
      doubled: doubledKeys(runs),
      wrong: [...this.refusals.keys()].filter((code) => !HONEST_REFUSALS.has(code)),
    };
  }

  private acknowledge({ askedAt, answeredAt }: Acknowledged): void {
    this.acknowledgedCount += 1;
    this.slowestMs = Math.max(this.slowestMs, answeredAt - askedAt);
  }
}

function doubledKeys(runs: CommandFacts['runs']): string[] {
  const runsOf = new Map<string, string[]>();
  for (const [runId, { key }] of runs) {
    if (key !== undefined) runsOf.set(key, [...(runsOf.get(key) ?? []), runId]);
  }
  return [...runsOf].flatMap(([key, ids]) => (ids.length > 1 ? [`submit ${key}: runs ${ids.join(', ')}`] : []));
}
