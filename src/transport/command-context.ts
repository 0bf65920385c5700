import { TcpContext } from '@nestjs/microservices';

/** What a command handler may know about its call beside the payload; injected with `@Ctx()`. */
export class CommandContext extends TcpContext {
  constructor(
    args: ConstructorParameters<typeof TcpContext>[0],
    /** Absolute deadline in ms since the epoch by this process's clock. */
    readonly deadlineAt: number,
    /** The caller's `requestId`, if it gave one. */
    readonly requestId: string | undefined,
    /** Fires when the deadline passed or the caller's connection closed: nobody waits for the answer any more. */
    readonly signal: AbortSignal,
  ) {
    super(args);
  }
}
