import { Injectable } from '@nestjs/common';

/** What a check answers: `'up'`, or why not, in one sentence that a stranger may read (`/readyz` asks for no token). */
export type ReadinessAnswer = 'up' | { down: string };

/**
 * Where features tell whether they can take work, so that `/readyz` reads them without knowing them.
 * A check answers at once from what its owner already knows: it asks nobody and opens nothing.
 */
@Injectable()
export class ReadinessChecks {
  private readonly checks = new Map<string, () => ReadinessAnswer>();

  /**
   * Adds a check; the returned function takes it away again.
   * @throws Error when the name is taken: the second check would hide the first
   */
  add(name: string, check: () => ReadinessAnswer): () => void {
    if (this.checks.has(name)) throw new Error(`readiness check "${name}" is already there`);
    this.checks.set(name, check);
    return () => {
      if (this.checks.get(name) === check) this.checks.delete(name);
    };
  }

  /** Asks every check; one that throws counts as down. */
  read(): ReadonlyMap<string, ReadinessAnswer> {
    const answers = new Map<string, ReadinessAnswer>();
    for (const [name, check] of this.checks) answers.set(name, ask(check));
    return answers;
  }
}

function ask(check: () => ReadinessAnswer): ReadinessAnswer {
  try {
    return check();
  } catch {
    // The text of an unexpected error is not for strangers.
    return { down: 'the check itself failed' };
  }
}
