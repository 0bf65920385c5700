import { relative } from 'node:path';
import TestRunner, {
  EmittingTestRunner,
  type Test,
  type TestEvents,
  type TestRunnerOptions,
  type TestWatcher,
  type UnsubscribeFn,
} from 'jest-runner';
import { LANE_ENV, WAITING_LANE } from './lane';
import { SLOW_SUITES, type SlowSuite } from './slow-suites';

/**
 * Runs suites in two lanes at once: those that compute by as many workers as jest was given, and beside them, by one worker more, those of
 * which `SLOW_SUITES` says that they mostly wait. A third worker for any suite would at times put three that compute on two cores.
 */
export default class LanesRunner extends EmittingTestRunner {
  private readonly computing = new TestRunner(this._globalConfig, this._context);
  private readonly waiting = new TestRunner({ ...this._globalConfig, maxWorkers: 1 }, this._context);

  async runTests(tests: Test[], watcher: TestWatcher, options: TestRunnerOptions): Promise<void> {
    if (options.serial) return this.computing.runTests(tests, watcher, options);
    const slow = ({ path }: Test): SlowSuite | undefined => SLOW_SUITES[relative(this._globalConfig.rootDir, path)];
    // What jest measured here before is newer than what the list says.
    const isMeasured = tests.some(({ duration }) => duration !== undefined);
    const seconds = (test: Test): number => slow(test)?.seconds ?? 0;
    const ordered = isMeasured ? tests : [...tests].sort((one, other) => seconds(other) - seconds(one));
    const [waiting, computing] = [true, false].map((waits) => ordered.filter((test) => !!slow(test)?.waits === waits));
    await Promise.all([
      computing!.length > 0 && this.computing.runTests(computing!, watcher, options),
      waiting!.length > 0 && this.runWaiting(waiting!, watcher, options),
    ]);
  }

  on<Name extends keyof TestEvents>(
    name: Name,
    listener: (data: TestEvents[Name]) => void | Promise<void>,
  ): UnsubscribeFn {
    const ends = [this.computing.on(name, listener), this.waiting.on(name, listener)];
    return () => ends.forEach((end) => end());
  }

  private runWaiting(tests: Test[], watcher: TestWatcher, options: TestRunnerOptions): Promise<void> {
    // The worker is forked before the call returns, and both lanes number theirs from one.
    process.env[LANE_ENV] = WAITING_LANE;
    const running = this.waiting.runTests(tests, watcher, options);
    delete process.env[LANE_ENV];
    return running;
  }
}
