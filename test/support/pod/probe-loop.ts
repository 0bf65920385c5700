import { httpGet } from '../http-get.js';
import type { ProbeSpec } from './pod-spec.js';

/** What a probe says when it changes its mind, and why. */
export type ProbeChange = (isWell: boolean, reason: string) => void;

/** Runs one HTTP probe as a kubelet does: period, timeout, thresholds. Ends with `stop()`. */
export class ProbeLoop {
  private timer: NodeJS.Timeout | undefined;
  private isStopped = false;
  private isWell: boolean | undefined;
  private inARow = 0;
  private last = false;

  constructor(
    private readonly host: string,
    private readonly spec: ProbeSpec,
    private readonly onChange: ProbeChange,
  ) {
    this.timer = setTimeout(() => void this.probe(), spec.initialDelayMs);
  }

  stop(): void {
    this.isStopped = true;
    clearTimeout(this.timer);
  }

  private async probe(): Promise<void> {
    const startedAt = performance.now();
    const { path, port, timeoutMs, periodMs, failureThreshold, successThreshold } = this.spec;
    let isGood = false;
    let reason = '';
    try {
      const url = `http://${this.host}:${port}${path}`;
      const { status, text } = await httpGet(url, { timeoutMs, headers: { 'User-Agent': 'kube-probe/1.32' } });
      isGood = status >= 200 && status < 400;
      reason = `${path}: ${status} ${text.slice(0, 300)}`;
    } catch (error) {
      reason = `${path}: ${(error as Error).message}`;
    }
    if (this.isStopped) return;
    this.inARow = isGood === this.last ? this.inARow + 1 : 1;
    this.last = isGood;
    if (this.isWell !== isGood && this.inARow >= (isGood ? successThreshold : failureThreshold)) {
      this.isWell = isGood;
      this.onChange(isGood, reason);
    }
    if (this.isStopped) return;
    this.timer = setTimeout(() => void this.probe(), Math.max(0, periodMs - (performance.now() - startedAt)));
  }
}
