import type { MessageHandler } from '@nestjs/microservices';
import { isObservable, lastValueFrom } from 'rxjs';
import { CommandError, isWireError, type WireError } from '../contract/command-error.js';
import type { CommandContext } from './command-context.js';
import type { CommanderSocket } from './commander-socket.js';
import { WheelEntry } from '../deadlines/deadline-wheel.js';
import type { Turn } from './reply-turns.js';

/** What a call tells the dispatcher. */
export interface CallObserver {
  /** The call is answered, or nobody can be answered any more: it is no longer in flight. */
  onAnswered(call: CommandCall, error: WireError | undefined): void;
  /** The call was answered although its handler still runs. */
  onGivenUp(): void;
  /** The handler of a call that was given up has come back after all. */
  onLate(): void;
  /** Nothing of the call is left: its request and its reply are nobody's any more. Comes after the other news of its end. */
  onOver(call: CommandCall, hasStarted: boolean): void;
  /** A reply that cannot be sent, or a handler error that Nest's exception filters did not see. */
  onDefect(call: CommandCall, error: unknown): void;
}

/** What a call does once its turn has come. */
export interface CallWork {
  readonly handler: MessageHandler;
  readonly request: unknown;
}

/** What a call may take. */
export interface CallBounds {
  /** Monotonic ms. */
  readonly dueAt: number;
  /** Heap that its request holds, taken from the {@link RequestBudget}. */
  readonly heldBytes: number;
  /** What its reply may hold while it is made; 0: little. */
  readonly replyBytes: number;
  /** Longest reply, in UTF-16 code units of its JSON. */
  readonly maxReplyLength: number;
}

/** One command between its request and its only answer. */
export class CommandCall extends WheelEntry implements Turn {
  private isAnswered = false;
  private isRunning = false;

  /** Monotonic ms. */
  readonly dueAt: number;
  readonly replyBytes: number;

  constructor(
    readonly socket: CommanderSocket,
    readonly id: string | number,
    readonly context: CommandContext,
    readonly bounds: CallBounds,
    private work: CallWork | undefined,
    /** Ends this call in {@link InFlight}. */
    private readonly endInFlight: () => void,
    private readonly observer: CallObserver,
  ) {
    super();
    this.dueAt = bounds.dueAt;
    this.replyBytes = bounds.replyBytes;
  }

  /** It was answered before its turn came. */
  get isOver(): boolean {
    return this.isAnswered;
  }

  /** Calls the handler. Whatever it does, the caller gets one answer. */
  start(): void {
    const { handler, request } = this.work!;
    this.work = undefined;
    this.isRunning = true;
    try {
      this.follow(handler(request, this.context));
    } catch (error) {
      this.reject(error);
    }
  }

  /** Answers with an error because nobody will wait for the handler any longer. Does nothing when the call is answered. */
  giveUp(error: WireError): void {
    if (this.isAnswered) return;
    if (this.isRunning) this.observer.onGivenUp();
    this.refuse(error);
    if (this.isRunning) return;
    this.work = undefined;
    this.observer.onOver(this, false);
  }

  /** The caller is gone before its turn came: there is nobody to work for. */
  drop(): void {
    if (this.isRunning || this.isAnswered) return;
    this.work = undefined;
    this.settle(undefined);
    this.observer.onOver(this, false);
  }

  /** Answers with what a handler returned: a value, a promise, or Nest's observable of an error. */
  private follow(result: unknown): void {
    if (result instanceof Promise) {
      result.then(
        (value) =>
          isObservable(value) ? this.follow(lastValueFrom(value, { defaultValue: null })) : this.respond(value),
        (error: unknown) => this.reject(error),
      );
    } else if (isObservable(result)) {
      this.follow(lastValueFrom(result, { defaultValue: null }));
    } else {
      this.respond(result);
    }
  }

  /** The deadline has passed. */
  onDue(): void {
    const error = new CommandError('DEADLINE_EXCEEDED', 'the command was not answered within its deadline');
    this.context.abort(error);
    if (!this.context.isSignalUsed) return this.giveUp(error.toWire());
    // A handler that listens to its signal may know more than we do (the id of the run it waited for): it has until
    // the end of this loop turn to say so.
    setImmediate(() => this.giveUp(error.toWire()));
  }

  private refuse(error: WireError): void {
    this.settle(error);
    this.socket.sendJson(refusal(this.id, error));
  }

  private respond(response: unknown): void {
    if (this.isAnswered) this.observer.onLate();
    else this.answer(response);
    this.observer.onOver(this, true);
  }

  private answer(response: unknown): void {
    let json: string;
    try {
      // A caller gets exactly one value, so `undefined` travels as null.
      json = JSON.stringify({ id: this.id, response: response === undefined ? null : response, isDisposed: true });
    } catch (error) {
      this.observer.onDefect(this, error);
      return this.refuse(new CommandError('INTERNAL', 'internal error').toWire());
    }
    if (json.length > this.bounds.maxReplyLength) {
      const message = `the reply is longer than ${this.bounds.maxReplyLength} bytes (MAX_SEND_BUFFER_BYTES); ask for less at once`;
      return this.refuse(new CommandError('INVALID_ARGUMENT', message).toWire());
    }
    this.settle(undefined);
    this.socket.sendJson(json);
  }

  private reject(error: unknown): void {
    if (this.isAnswered) this.observer.onLate();
    else this.answerError(error);
    this.observer.onOver(this, true);
  }

  private answerError(error: unknown): void {
    if (error instanceof CommandError) return this.refuse(error.toWire());
    if (isWireError(error)) return this.refuse(error);
    this.observer.onDefect(this, error);
    this.refuse(new CommandError('INTERNAL', 'internal error').toWire());
  }

  private settle(error: WireError | undefined): void {
    this.isAnswered = true;
    this.context.release();
    this.endInFlight();
    this.observer.onAnswered(this, error);
  }
}

/** The packet of an error as JSON text. */
export function refusal(id: string | number, error: WireError): string {
  return JSON.stringify({ id, err: error, isDisposed: true });
}
