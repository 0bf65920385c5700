/**
 * Lets somebody else end the wait of one call, once. An `AbortController` with its signal and listener costs more than the rest of a call,
 * and hardly any call is ever stopped.
 */
export class CallStop {
  private listener: (() => void) | undefined;
  private isOver = false;

  get isStopped(): boolean {
    return this.isOver;
  }

  /** @param listener is called when it is stopped, in place of the one before; undefined: nobody is */
  whenStopped(listener: (() => void) | undefined): void {
    this.listener = listener;
  }

  stop(): void {
    if (this.isOver) return;
    this.isOver = true;
    const { listener } = this;
    this.listener = undefined;
    listener?.();
  }
}
