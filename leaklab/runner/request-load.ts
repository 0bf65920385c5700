import { Agent, get } from 'node:http';
import { rateAt } from './request-rate.js';
import type { Load } from './scenario.js';

const STEP_MS = 20;
/** Longer than any scenario holds a request: C4 holds one in 20,000 for more than ten seconds, one in 10¹³ for more than thirty. */
const ANSWER_MS = 30_000;
/** Beyond it the program does not keep up, and the load waits for it. */
const MOST_UNDER_WAY = 256;

/** Requests at a rate, whether or not the earlier ones were answered. */
export class RequestLoad {
  answered = 0;
  /** Requests that failed, by the reason. */
  readonly failed: Record<string, number> = {};
  private readonly agent: Agent;
  private readonly startedMs = performance.now();
  private readonly timer: NodeJS.Timeout;
  private due = 0;
  private underWay = 0;
  private lastMs = this.startedMs;
  private stopped = false;

  constructor(
    private readonly port: number,
    private readonly load: Load,
  ) {
    this.agent = new Agent({ keepAlive: load.connections === 'kept', maxFreeSockets: 16 });
    // The first comes at once: at 70 an hour the next is a minute away.
    this.due = 1;
    this.timer = setInterval(() => this.step(), STEP_MS);
  }

  /** Since it began. */
  get elapsedMs(): number {
    return performance.now() - this.startedMs;
  }

  /** What is under way then fails for that, and is not counted. */
  stop(): void {
    this.stopped = true;
    clearInterval(this.timer);
    this.agent.destroy();
  }

  private step(): void {
    const nowMs = performance.now();
    this.due += (rateAt(this.load, nowMs - this.startedMs) * (nowMs - this.lastMs)) / 1_000;
    this.lastMs = nowMs;
    while (this.due >= 1 && this.underWay < MOST_UNDER_WAY) {
      this.due--;
      this.request();
    }
  }

  private request(): void {
    this.underWay++;
    const options = { agent: this.agent, host: '127.0.0.1', port: this.port, path: '/', timeout: ANSWER_MS };
    const request = get(options, (response) => {
      response.resume().once('end', () => {
        if (response.statusCode === 200) this.answered++;
        else this.fail(`status ${response.statusCode}`);
      });
    });
    request.once('timeout', () => request.destroy(new Error(`no answer within ${ANSWER_MS} ms`)));
    request.once('error', (error: NodeJS.ErrnoException) => {
      // The server may close a kept connection in the moment we take it up again: nobody has read that request.
      if (request.reusedSocket && error.code === 'ECONNRESET') this.due++;
      else this.fail(error.message);
    });
    request.once('close', () => this.underWay--);
  }

  private fail(why: string): void {
    if (this.stopped) return;
    this.failed[why] = (this.failed[why] ?? 0) + 1;
  }
}
