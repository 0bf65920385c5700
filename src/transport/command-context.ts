import { TcpContext } from '@nestjs/microservices';

/** The connection of a caller, as far as its commands need to know it. */
export interface Caller {
  /** Whether the connection is closed. */
  readonly isGone: boolean;
  /** Contexts that want to be told when it closes. */
  readonly contexts: Set<CommandContext>;
}

/** What a command handler may know about its call beside the payload; its second parameter, or injected with `@Ctx()`. */
export class CommandContext extends TcpContext {
  private controller: AbortController | undefined;
  private abortReason: unknown;
  private isOver = false;

  constructor(
    args: ConstructorParameters<typeof TcpContext>[0],
    /** Absolute deadline in ms since the epoch by this process's clock. */
    readonly deadlineAt: number,
    /** The caller's `requestId`, if it gave one. */
    readonly requestId: string | undefined,
    private readonly source: AbortSignal | Caller,
  ) {
    super(args);
  }

  /**
   * Fires when the deadline passed or the caller's connection closed: nobody waits for the answer any more.
   * Made when it is first asked for, because making one costs more than the rest of a small command.
   */
  get signal(): AbortSignal {
    const { source } = this;
    if (source instanceof AbortSignal) return source;
    if (this.controller === undefined) {
      this.controller = new AbortController();
      if (this.abortReason !== undefined) this.controller.abort(this.abortReason);
      else if (source.isGone) this.controller.abort(new Error('the caller is gone'));
      else if (!this.isOver) source.contexts.add(this);
    }
    return this.controller.signal;
  }

  /** Whether the handler asked for the signal. */
  get isSignalUsed(): boolean {
    return this.controller !== undefined;
  }

  /** For the transport: fires the signal. */
  abort(reason: unknown): void {
    this.abortReason ??= reason;
    this.release();
    this.controller?.abort(reason);
  }

  /** For the transport: the command is answered; the signal will not fire any more. */
  release(): void {
    this.isOver = true;
    if (this.controller !== undefined && !(this.source instanceof AbortSignal)) this.source.contexts.delete(this);
  }
}
