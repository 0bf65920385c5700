import { fork } from 'node:child_process';
import { once } from 'node:events';
import { benchNodeArguments } from './node-arguments.mjs';

/** A Node process of a benchmark: tells when it is ready, answers questions `{ask, …}` one after the other. */
export class Child {
  #child;
  #name;

  #failed;

  constructor(child, name, failed, ready) {
    this.#child = child;
    this.#name = name;
    this.#failed = failed;
    /** What it said when it was ready. */
    this.ready = ready;
  }

  /**
   * Resolves with its first message. Its output is ours; it ends when we do (the channel closes).
   * @param {string} file
   * @param {{args?: string[], env?: Record<string, string>, nodeArgs?: string[]}} options
   */
  static async start(file, { args = [], env = {}, nodeArgs = benchNodeArguments } = {}) {
    const name = file.slice(file.lastIndexOf('/') + 1);
    const child = fork(file, args, { env: { ...process.env, ...env }, execArgv: nodeArgs });
    const failed = new Promise((_, reject) =>
      child.once('exit', (code, signal) => reject(new Error(`${name} ended (${signal ?? code})`))),
    );
    failed.catch(() => {});
    const ready = await Promise.race([message(child), failed]);
    return new Child(child, name, failed, ready);
  }

  get pid() {
    return this.#child.pid;
  }

  /** @param {{ask: string}} question */
  async ask(question) {
    this.#child.send(question);
    const answer = await Promise.race([message(this.#child), this.#failed]);
    if (answer?.error) throw new Error(`${this.#name}: ${answer.error}`);
    return answer;
  }

  /** SIGTERM, SIGKILL after 20 s. */
  async stop() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 20_000);
    await exited;
    clearTimeout(timer);
  }
}

/** The next message of a child. */
function message(child) {
  return new Promise((resolve) => child.once('message', resolve));
}

/**
 * The other end, in the child: tells the parent, then answers its questions.
 * @param {object} ready
 * @param {Record<string, (question: object) => unknown>} answers by the name asked for
 */
export function serveParent(ready, answers) {
  process.on('message', async (question) => {
    try {
      process.send((await answers[question.ask](question)) ?? {});
    } catch (error) {
      process.send({ error: error.stack });
    }
  });
  process.on('disconnect', () => process.exit(0));
  process.send(ready);
}
