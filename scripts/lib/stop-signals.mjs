const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const ECHO_MS = 500;

/**
 * Calls `handle(signal, count)` for each request to stop. One Ctrl-C under npm arrives twice (from the terminal and again from npm):
 * the echo is not counted, because a second request means "at once".
 */
export function onStopSignal(handle) {
  let count = 0;
  const lastAt = new Map();
  for (const name of STOP_SIGNALS) {
    process.on(name, () => {
      const now = performance.now();
      const isEcho = now - (lastAt.get(name) ?? -Infinity) < ECHO_MS;
      lastAt.set(name, now);
      if (!isEcho) handle(name, ++count);
    });
  }
}
