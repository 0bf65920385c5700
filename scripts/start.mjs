// `npm start`: from a fresh clone to a commander that serves. Plain Node without dependencies, for it runs before any are installed.
import { spawn } from 'node:child_process';
import { banner } from './lib/banner.mjs';
import { inCheckout } from './lib/checkout.mjs';
import { runMain, say } from './lib/failure.mjs';
import { Guardian } from './lib/guardian.mjs';
import { startLocalRedis } from './lib/local-redis.mjs';
import { commanderNodeArguments } from './lib/node-arguments.mjs';
import { ensureRedisBinary } from './lib/redis-binary.mjs';
import { exitCodeOf } from './lib/run-program.mjs';
import { setUp } from './lib/set-up.mjs';
import { onStopSignal } from './lib/stop-signals.mjs';

await runMain(async () => {
  await setUp();

  let commander;
  let commanderRuns = false;
  let stopRequested;
  onStopSignal((signal, count) => {
    stopRequested ??= signal;
    if (count > 2) commander?.kill('SIGKILL');
    // A closed terminal is a request to stop, not a reason to drop what is in flight.
    else commander?.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal);
  });

  const guardian = new Guardian();
  const redis = usesOwnRedis() ? await startLocalRedis(await ensureRedisBinary(), guardian) : undefined;
  if (redis) {
    guardian.guard(redis.pid);
    void redis.exited.then((end) => {
      if (commanderRuns) {
        say(
          `Redis ended by itself (${end}): commands are answered UNAVAILABLE; stop with Ctrl-C, then npm start. Its log: ${redis.dataDir}/redis.log`,
        );
      }
    });
  }

  let exitCode = stopRequested ? exitCodeOf(stopRequested) : 0;
  if (!stopRequested) {
    commander = launchCommander(redis);
    commanderRuns = true;
    guardian.guard(...[commander.pid, redis?.pid].filter(Boolean));
    exitCode = await endOf(commander);
    commanderRuns = false;
    if (!stopRequested) say(`commander ended by itself (exit code ${exitCode})`);
  }

  // Only now: until its end commander writes to it.
  guardian.guard(...[redis?.pid].filter(Boolean));
  await redis?.stop();
  guardian.release();
  process.exit(exitCode);
});

/** Anything that names a Redis wins over one of our own. */
function usesOwnRedis() {
  const { REDIS_URL, REDIS_MODE } = process.env;
  return !REDIS_URL && (!REDIS_MODE || REDIS_MODE === 'standalone');
}

function launchCommander(redis) {
  const redisUrl = redis?.url ?? process.env.REDIS_URL;
  const evidenceDir = process.env.EVIDENCE_DIR || inCheckout('.data/evidence');
  const commander = spawn(process.execPath, [...commanderNodeArguments, inCheckout('dist/main.js')], {
    env: { ...process.env, EVIDENCE_DIR: evidenceDir, ...(redisUrl ? { REDIS_URL: redisUrl } : {}) },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    // Its own session: it gets the signals that we hand on, each once, instead of also those of the terminal and of npm.
    detached: true,
  });
  commander.on('message', (message) => {
    if (message?.type !== 'ready') return;
    console.log(banner({ ...message, redisUrl: redisUrl ?? process.env.REDIS_NODES ?? '', dataDir: redis?.dataDir }));
    // The channel has served; left open it would be one more handle in every diagnosis of the process.
    if (commander.connected) commander.disconnect();
  });
  return commander;
}

function endOf(child) {
  return new Promise((resolve) => {
    child.once('error', (error) => {
      say(error.message);
      resolve(1);
    });
    child.once('exit', (code, signal) => resolve(code ?? exitCodeOf(signal)));
  });
}
