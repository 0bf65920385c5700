import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { inCheckout } from './checkout.mjs';
import { Failure, say } from './failure.mjs';
import { findFreePort } from './free-port.mjs';
import { takeLock } from './lock-file.mjs';
import { processIdentity, stillRuns } from './process-identity.mjs';

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 10_000;
const LEFTOVER_TIMEOUT_MS = 30_000;
/** A guardian gives commander 20 s, and Redis as long. */
const GUARDED_TIMEOUT_MS = 45_000;
const LOG_LIMIT_BYTES = 1_048_576;

/**
 * Starts redis-server on a free loopback port with its data in `.data/<name>` of this checkout.
 * @param guardian who stops it when this process dies, after those that write to it
 * @returns `{ url, pid, dataDir, exited, stop() }`; `exited` resolves with a description of its end.
 * @throws Failure when another process of this checkout uses the data, or Redis does not come up.
 */
export async function startLocalRedis(binary, guardian, name = 'redis') {
  const dataDir = inCheckout('.data', name);
  const lock = takeLock(inCheckout('.data', `${name}.lock`));
  if (!lock.release) {
    const { pid, since } = lock.holder;
    throw new Failure(
      `process ${pid} (started ${since}) already runs commander with the data in ${dataDir}; ` +
        'stop it first, or set REDIS_URL to let this one use another Redis (the first one prints its own)',
    );
  }
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const record = join(dataDir, 'server.json');
  await endLeftover(record);
  for (let attemptsLeft = 3; ; attemptsLeft--) {
    const server = await launch(binary, dataDir, await findFreePort());
    if (server.failure === undefined) {
      const guardedBy = guardian.pid && processIdentity(guardian.pid);
      writeFileSync(record, JSON.stringify({ ...processIdentity(server.pid), guardedBy }));
      const stop = async () => {
        await server.stop();
        rmSync(record, { force: true });
        lock.release();
      };
      return { ...server, dataDir, stop };
    }
    // Between finding a free port and Redis binding it somebody else may have taken it.
    if (!/in use/i.test(server.failure) || attemptsLeft <= 1) {
      lock.release();
      throw new Failure(`redis-server did not start:\n${server.failure}`);
    }
  }
}

/** After SIGKILL of its starter a server may still be closing the very files that the new one would open. */
async function endLeftover(record) {
  let leftover;
  try {
    leftover = JSON.parse(readFileSync(record, 'utf8'));
  } catch {
    return;
  }
  if (!stillRuns(leftover)) return;
  say(`waiting for the Redis of an earlier start (process ${leftover.pid}) to end`);
  // Its guardian ends commander first, which writes until then.
  const isGuarded = () => leftover.guardedBy && stillRuns(leftover.guardedBy);
  const guardedUntil = Date.now() + GUARDED_TIMEOUT_MS;
  while (stillRuns(leftover) && isGuarded() && Date.now() < guardedUntil) await sleep(100);
  if (stillRuns(leftover)) signal(leftover.pid, 'SIGTERM');
  const deadlineAt = Date.now() + LEFTOVER_TIMEOUT_MS;
  while (stillRuns(leftover)) {
    if (Date.now() > deadlineAt) signal(leftover.pid, 'SIGKILL');
    await sleep(100);
  }
}

async function launch(binary, dataDir, port) {
  const logFile = join(dataDir, 'redis.log');
  const logStart = prepareLog(logFile);
  const child = spawn(
    binary,
    [
      ...['--bind', '127.0.0.1', '--port', String(port), '--daemonize', 'no', '--dir', dataDir, '--logfile', logFile],
      ...['--appendonly', 'yes', '--appendfsync', 'everysec', '--save', '', '--maxmemory-policy', 'noeviction'],
    ],
    // Its own session: Ctrl-C in the terminal must not end it before commander, which still writes then.
    { stdio: 'ignore', detached: true },
  );
  let end;
  const exited = new Promise((resolve) => {
    child.once('error', (error) => resolve((end = error.message)));
    child.once('exit', (code, signalName) =>
      resolve((end = signalName ? `signal ${signalName}` : `exit code ${code}`)),
    );
  });
  const stop = async () => {
    if (end !== undefined) return;
    // A stopped (frozen) process would keep the SIGTERM for later.
    child.kill('SIGCONT');
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await exited;
    clearTimeout(timer);
  };

  const deadlineAt = Date.now() + START_TIMEOUT_MS;
  while (end === undefined && !(await answersAs(child.pid, port))) {
    if (Date.now() > deadlineAt) {
      await stop();
      end = `no answer within ${START_TIMEOUT_MS} ms`;
      break;
    }
    await Promise.race([sleep(20), exited]);
  }
  const failure = end === undefined ? undefined : `${end}\n${readFileSync(logFile, 'utf8').slice(logStart)}`.trim();
  return { failure, url: `redis://127.0.0.1:${port}`, pid: child.pid, exited, stop };
}

/** Keeps the log of earlier starts unless it has grown too long. Returns where the lines of this start begin. */
function prepareLog(logFile) {
  try {
    const { size } = statSync(logFile);
    if (size <= LOG_LIMIT_BYTES) return size;
  } catch {
    // No log yet.
  }
  writeFileSync(logFile, '');
  return 0;
}

/** Whether exactly our process answers there and has loaded its data: a foreign Redis would answer a PING as well. */
function answersAs(pid, port) {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    let reply = '';
    const settle = (answer) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1_000, () => settle(false));
    socket.once('error', () => settle(false));
    socket.once('close', () => settle(false));
    socket.on('data', (chunk) => {
      reply += chunk;
      if (reply.includes(`\r\nprocess_id:${pid}\r\n`)) settle(true);
      else if (reply.startsWith('-')) settle(false);
    });
    socket.write('INFO server\r\n');
  });
}

function signal(pid, name) {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended meanwhile.
  }
}
