import { rm } from 'node:fs/promises';
import { Actor } from './actor.mjs';
import { Expectations } from './expectations.mjs';
import { heading } from './view.mjs';
import { inCheckout } from '../lib/checkout.mjs';
import { Failure } from '../lib/failure.mjs';
import { Guardian } from '../lib/guardian.mjs';
import { startLocalRedis } from '../lib/local-redis.mjs';
import { ensureRedisBinary } from '../lib/redis-binary.mjs';
import { exitCodeOf } from '../lib/run-program.mjs';
import { onStopSignal } from '../lib/stop-signals.mjs';

/** Where a demo takes place: a Redis of its own, its processes, and what it has to show. Whatever happens, nothing is left. */
export class Stage {
  constructor() {
    this.expectations = new Expectations();
    this.actors = [];
    /** What to do before the processes are stopped, last given first. */
    this.endings = [];
    /** What to do when the processes have ended. */
    this.remains = [];
    this.guardian = new Guardian();
  }

  /**
   * Plays `show` on this stage and ends the process: 0 when every expectation was met.
   * @param show what is to be seen; gets the stage
   * @throws Failure when something expected did not happen
   */
  async play(show, lastWords) {
    onStopSignal((signal, count) => {
      if (count > 1) process.exit(exitCodeOf(signal));
      void this.tidyUp().then(() => process.exit(exitCodeOf(signal)));
    });
    try {
      // Data of its own: a demo leaves no schedules in the Redis of `npm start`.
      this.redis = await startLocalRedis(await ensureRedisBinary(), this.guardian, `demo-${process.pid}`);
      this.guard();
      await show(this);
    } catch (error) {
      if (this.tidyingUp) return await this.tidyingUp;
      for (const { name, output } of this.actors)
        if (output) console.error(`--- the last lines of ${name}\n${output.split('\n').slice(-30).join('\n')}`);
      await this.tidyUp();
      console.error(this.expectations.lines().join('\n'));
      throw error;
    }
    const late = await this.tidyUp();
    this.expectations.expect(
      `every process ended by itself after SIGTERM${late.length > 0 ? ` (not: ${late.join(', ')})` : ''}`,
      late.length === 0,
    );
    heading('What was to be seen');
    console.log(this.expectations.lines().join('\n'));
    if (!this.expectations.areMet) throw new Failure('the demo did not show everything it should');
    console.log(`\n${lastWords}`);
    process.exit(0);
  }

  /** Starts a process. @param nodeArgs flags of node itself */
  start(name, file, env, nodeArgs = []) {
    const actor = new Actor(name, inCheckout(file), env, nodeArgs);
    this.actors.push(actor);
    this.guard();
    return actor;
  }

  beforeTheEnd(work) {
    this.endings.push(work);
  }

  afterTheEnd(work) {
    this.remains.push(work);
  }

  /** Last started, first stopped: commander after those who use it, Redis after commander. Returns who had to be killed. */
  tidyUp() {
    this.tidyingUp ??= (async () => {
      const late = [];
      for (const work of this.endings.reverse()) await work();
      for (const actor of [...this.actors].reverse()) if (!(await actor.stop())) late.push(actor.name);
      for (const work of this.remains) await work();
      await this.redis?.stop();
      if (this.redis) await rm(this.redis.dataDir, { recursive: true, force: true });
      this.guardian.release();
      return late;
    })();
    return this.tidyingUp;
  }

  /** Whoever kills this process ends those it started, too. */
  guard() {
    const alive = this.actors.filter(({ end }) => end === undefined).map(({ pid }) => pid);
    this.guardian.guard(...alive, ...(this.redis ? [this.redis.pid] : []));
  }
}
