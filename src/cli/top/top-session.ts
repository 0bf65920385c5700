import { CommandError } from '../../contract/command-error.js';
import { fit } from '../output/display-width.js';
import { printable } from '../output/printable.js';
import { terminalOf } from '../output/terminal.js';
import { paint } from '../output/tone.js';
import { type DiagnosticsReader, type Look, type SortOrder, sortOrders } from './diagnostics-reader.js';
import { TopScreen } from './top-screen.js';
import { topLines } from './top-view.js';

/** Groups that are asked for: more than any window has lines. */
const MAX_GROUPS = 200;
/** Refusals that asking again does not change. */
const FINAL_CODES: readonly string[] = ['UNAUTHENTICATED', 'FORBIDDEN', 'INVALID_ARGUMENT', 'NOT_FOUND'];

/** Looks at a process again and again until somebody has seen enough. */
export class TopSession {
  private readonly leaving = new AbortController();
  private readonly screen: TopScreen;
  private wake: (() => void) | undefined;
  private latest: Look | undefined;
  private first: { live: ReadonlyMap<string, number>; atMs: number } | undefined;
  private lookedMs = 0;
  private isPaused = false;
  /** Since when, and why, it does not answer. */
  private silence: { at: Date; reason: string } | undefined;
  private signal: NodeJS.Signals | undefined;

  constructor(
    private readonly reader: DiagnosticsReader,
    private sort: SortOrder,
    private readonly intervalMs: number,
  ) {
    this.screen = new TopScreen(process.stdin, process.stdout, {
      key: (name) => this.pressed(name),
      resized: () => this.draw(),
      ended: (signal) => {
        this.signal = signal;
        this.leave();
      },
    });
  }

  /**
   * Resolves when `q` was pressed; a signal ends the process as it would have, after the terminal is as it was.
   * @throws CommandError when the first look fails, or a later one for good
   */
  async run(): Promise<void> {
    // Before the screen is taken: what is wrong with the address or the token stays readable.
    await this.look();
    this.screen.enter();
    try {
      while (!this.leaving.signal.aborted) {
        this.draw();
        await this.pause();
        if (!this.isPaused && !this.leaving.signal.aborted) await this.lookAgain();
      }
    } finally {
      this.screen.leave();
    }
    if (this.signal !== undefined) process.kill(process.pid, this.signal);
  }

  private async look(): Promise<void> {
    const look = await this.reader.look(this.sort, MAX_GROUPS, this.leaving.signal);
    this.latest = look;
    this.lookedMs = performance.now();
    this.silence = undefined;
    this.first ??= { live: new Map(look.groups.groups.map(({ id, live }) => [id, live])), atMs: this.lookedMs };
  }

  private async lookAgain(): Promise<void> {
    try {
      await this.look();
    } catch (error) {
      if (this.leaving.signal.aborted) return;
      const known = CommandError.fromWire(error);
      if (FINAL_CODES.includes(known.code)) throw error;
      // It may be restarting: its last word stays, and it is asked again.
      this.silence ??= { at: new Date(), reason: known.message };
    }
  }

  private pressed(name: string): void {
    if (name === 'q') this.leave();
    else if (name === 'p') {
      this.isPaused = !this.isPaused;
      this.wake?.();
    } else if (name === 's') {
      this.sort = sortOrders[(sortOrders.indexOf(this.sort) + 1) % sortOrders.length]!;
      this.isPaused = false;
      this.wake?.();
    }
  }

  private leave(): void {
    this.leaving.abort();
    this.wake?.();
  }

  private pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.wake?.(), this.intervalMs);
      this.wake = () => {
        clearTimeout(timer);
        this.wake = undefined;
        resolve();
      };
    });
  }

  private draw(): void {
    if (this.latest === undefined || this.first === undefined) return;
    const terminal = terminalOf(process.stdout, process.env, false);
    const { address } = this.reader;
    const sinceMs = this.lookedMs - this.first.atMs;
    const since = sinceMs > 0 ? { live: this.first.live, ms: sinceMs } : undefined;
    const lines = topLines({ address, look: this.latest, sort: this.sort, since }, terminal, this.screen.rows - 1);
    const room = lines.slice(0, this.screen.rows - 1);
    const foot = this.footer();
    const width = terminal.widthColumns ?? foot.length;
    this.screen.draw([...room, paint(fit(printable(foot), width), this.silence ? 'bad' : 'faint', terminal)]);
  }

  private footer(): string {
    if (this.silence !== undefined)
      return `no answer since ${this.silence.at.toLocaleTimeString('en-GB')}: ${this.silence.reason}`;
    const pace = this.isPaused ? 'paused' : `every ${this.intervalMs / 1_000} s`;
    return `q leaves  p ${this.isPaused ? 'goes on' : 'pauses'}  s sorts (by ${this.sort})  ${pace}`;
  }
}
