import { renameSync, writeFileSync } from 'node:fs';
import { serveDiagnostics } from './serve-diagnostics.js';

/**
 * Serves the diagnostics as the environment says:
 *
 * - `MU_DIAGNOSTICS_PORT` 0 … 65535; 0 takes a free port. Unset or empty: nothing is served.
 * - `MU_DIAGNOSTICS_HOST` default 127.0.0.1
 * - `MU_DIAGNOSTICS_TOKEN` bearer token for other hosts
 * - `MU_DIAGNOSTICS_INSECURE` `true` allows to listen beyond loopback without a token
 * - `MU_DIAGNOSTICS_PORT_FILE` where the port is written, `%p` standing for the process id; without it a line on standard
 *   error tells it
 *
 * What cannot be served is one line on standard error: a preload must not keep the application from running. Never rejects.
 */
export async function serveByEnvironment(env: NodeJS.ProcessEnv): Promise<void> {
  const given = env.MU_DIAGNOSTICS_PORT;
  if (given === undefined || given === '') return;
  try {
    const { host, port } = await serveDiagnostics({
      port: portOf(given),
      host: env.MU_DIAGNOSTICS_HOST || undefined,
      token: env.MU_DIAGNOSTICS_TOKEN,
      insecure: env.MU_DIAGNOSTICS_INSECURE === 'true',
    });
    if (env.MU_DIAGNOSTICS_PORT_FILE) writePort(env.MU_DIAGNOSTICS_PORT_FILE, port);
    else say(`diagnostics of process ${process.pid} on http://${host.includes(':') ? `[${host}]` : host}:${port}`);
  } catch (error) {
    say(`no diagnostics: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function portOf(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (!(port <= 65_535)) throw new Error(`MU_DIAGNOSTICS_PORT=${JSON.stringify(text)}: expected 0 to 65535`);
  return port;
}

/** In one step, so that whoever waits for the file never reads half of it. */
function writePort(pattern: string, port: number): void {
  const file = pattern.replaceAll('%p', String(process.pid));
  const written = `${file}.${process.pid}.new`;
  writeFileSync(written, `${port}\n`);
  renameSync(written, file);
}

function say(line: string): void {
  process.stderr.write(`mu-commander: ${line}\n`);
}
