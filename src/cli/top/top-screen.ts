import { emitKeypressEvents, type Key } from 'node:readline';

const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** What the screen tells whoever draws on it. */
export interface ScreenEvents {
  key(name: string): void;
  resized(): void;
  /** The process was told to end; `leave` has been called. */
  ended(signal: NodeJS.Signals): void;
}

/**
 * The whole terminal, as an editor has it: a screen of its own, no cursor, keys as they are pressed. Whatever ends the process but
 * SIGKILL, the terminal is as it was.
 */
export class TopScreen {
  private isEntered = false;

  constructor(
    private readonly input: NodeJS.ReadStream,
    private readonly output: NodeJS.WriteStream,
    private readonly events: ScreenEvents,
  ) {}

  get rows(): number {
    return this.output.rows || 24;
  }

  enter(): void {
    this.isEntered = true;
    this.output.write(ENTER);
    this.output.on('resize', this.onResize);
    process.on('exit', this.onExit);
    for (const signal of SIGNALS) process.on(signal, this.onSignal);
    if (!this.input.isTTY) return;
    emitKeypressEvents(this.input);
    this.input.setRawMode(true);
    this.input.on('keypress', this.onKey);
    this.input.resume();
  }

  /** As it was before `enter`. Idempotent. */
  leave(): void {
    if (!this.isEntered) return;
    this.isEntered = false;
    this.output.off('resize', this.onResize);
    process.off('exit', this.onExit);
    for (const signal of SIGNALS) process.off(signal, this.onSignal);
    if (this.input.isTTY) {
      this.input.off('keypress', this.onKey);
      this.input.setRawMode(false);
      // Waiting for keys keeps the process alive.
      this.input.pause();
    }
    this.output.write(LEAVE);
  }

  /** Draws over what is there: clearing first would flicker. Lines that do not fit are left out. */
  draw(lines: readonly string[]): void {
    if (!this.isEntered) return;
    const shown = lines.slice(0, this.rows).map((line) => `${line}${CLEAR_LINE}`);
    this.output.write(`${HOME}${shown.join('\r\n')}${CLEAR_BELOW}`);
  }

  private readonly onResize = () => this.events.resized();
  private readonly onExit = () => this.leave();
  private readonly onSignal = (signal: NodeJS.Signals) => {
    this.leave();
    this.events.ended(signal);
  };
  private readonly onKey = (_text: string | undefined, { name, ctrl }: Key) => {
    // The terminal does not make signals of keys while it is raw.
    this.events.key(ctrl === true && (name === 'c' || name === 'd') ? 'q' : (name ?? ''));
  };
}
