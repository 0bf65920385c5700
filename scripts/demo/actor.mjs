import { spawn } from 'node:child_process';
import { Failure } from '../lib/failure.mjs';

const READY_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 20_000;
const KEPT_OUTPUT_CHARS = 16_384;

/** One process of the demo. It reports `{ type: 'ready', … }` over IPC; what it prints is kept for the case of a failure. */
export class Actor {
  constructor(name, file, env, nodeArgs = []) {
    this.name = name;
    this.output = '';
    this.end = undefined;
    const child = spawn(process.execPath, [...nodeArgs, '--enable-source-maps', file], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // Its own session: Ctrl-C goes to the demo, which ends its processes in order.
      detached: true,
    });
    this.child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => (this.output = (this.output + chunk).slice(-KEPT_OUTPUT_CHARS)));
    }
    this.ready = new Promise((resolve) => {
      child.on('message', (message) => {
        if (message?.type !== 'ready') return;
        if (child.connected) child.disconnect();
        resolve(message);
      });
    });
    this.exited = new Promise((resolve) => {
      child.once('error', (error) => resolve((this.end = error.message)));
      child.once('exit', (code, signal) => resolve((this.end = signal ?? `exit code ${code}`)));
    });
  }

  get pid() {
    return this.child.pid;
  }

  /** Resolves with its ready message. @throws Failure with what it printed, when it ends or is silent instead */
  async started() {
    let timer;
    const late = new Promise((resolve) => (timer = setTimeout(() => resolve(undefined), READY_TIMEOUT_MS)));
    const message = await Promise.race([this.ready, this.exited.then(() => undefined), late]);
    clearTimeout(timer);
    if (message) return message;
    throw new Failure(
      `${this.name} did not start (${this.end ?? `silent for ${READY_TIMEOUT_MS} ms`}):\n${this.output}`,
    );
  }

  /** Without a warning, as a machine dies. */
  async kill() {
    if (this.end === undefined) this.child.kill('SIGKILL');
    await this.exited;
  }

  /** SIGTERM; resolves with whether it ended by itself in time. */
  async stop() {
    if (this.end !== undefined) return true;
    this.child.kill('SIGTERM');
    let inTime = true;
    const timer = setTimeout(() => {
      inTime = false;
      this.child.kill('SIGKILL');
    }, STOP_TIMEOUT_MS);
    await this.exited;
    clearTimeout(timer);
    return inTime;
  }
}
