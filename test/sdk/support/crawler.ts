import { Injectable } from '@nestjs/common';
import { CommandError, type JobContext, JobFailure, JobHandler } from '../../../src/sdk/agent.js';

/** Handlers of every temper. */
@Injectable()
export class Crawler {
  readonly contexts: JobContext[] = [];
  readonly calls: string[] = [];
  private readonly gates = new Map<string, () => void>();

  @JobHandler('echo')
  echo(payload: unknown, context: JobContext): unknown {
    this.note('echo', context);
    return { payload };
  }

  /** Ends when the test opens its gate. */
  @JobHandler('gated')
  async gated(payload: { gate: string }, context: JobContext): Promise<unknown> {
    this.note('gated', context);
    await new Promise<void>((resolve) => this.gates.set(payload.gate, resolve));
    return `passed ${payload.gate}`;
  }

  /** Ends when its signal fires. */
  @JobHandler('obedient')
  async obedient(_payload: unknown, context: JobContext): Promise<never> {
    this.note('obedient', context);
    await new Promise((resolve) => context.signal.addEventListener('abort', resolve));
    throw new Error('obeyed');
  }

  @JobHandler('fails')
  fails(payload: { how: string }, context: JobContext): never {
    this.note('fails', context);
    switch (payload.how) {
      case 'for good':
        throw new JobFailure('page is gone', { retryable: false });
      case 'for now':
        throw new JobFailure('page is slow');
      case 'with a code':
        throw new CommandError('RATE_LIMITED', 'site asks for a pause', { afterMs: 5 });
      case 'with our code':
        throw new CommandError('SHUTTING_DOWN', 'the site restarts');
      case 'at length':
        throw new Error('x'.repeat(5_000));
      case 'without an error':
        throw 'just text';
      default:
        throw new Error('broken selector');
    }
  }

  @JobHandler('returns')
  returns(payload: { what: string }, context: JobContext): unknown {
    this.note('returns', context);
    const cyclic: Record<string, unknown> = {};
    cyclic.self = cyclic;
    const values: Record<string, unknown> = {
      nothing: undefined,
      zero: 0,
      date: new Date(0),
      cyclic,
      function: () => 1,
      bigint: 1n,
      large: 'x'.repeat(10_000),
    };
    return values[payload.what];
  }

  open(gate: string): void {
    const pass = this.gates.get(gate);
    if (!pass) throw new Error(`nobody waits at ${gate}`);
    this.gates.delete(gate);
    pass();
  }

  waits(gate: string): boolean {
    return this.gates.has(gate);
  }

  callsOf(runId: string): number {
    return this.calls.filter((call) => call.endsWith(` ${runId}`)).length;
  }

  private note(handler: string, context: JobContext): void {
    this.contexts.push(context);
    this.calls.push(`${handler} ${context.runId}`);
  }
}
