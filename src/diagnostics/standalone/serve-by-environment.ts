import { renameSync, writeFileSync } from 'node:fs';
import { environmentOptions } from './environment-options.js';
import { serveDiagnostics } from './serve-diagnostics.js';

/**
 * Serves the diagnostics as the environment says, and tells the port: to the file that `MU_DIAGNOSTICS_PORT_FILE` names,
 * `%p` standing for the process id, or else in a line on standard error.
 *
 * What cannot be served is one line on standard error: a preload must not keep the application from running. Never rejects.
 */
export async function serveByEnvironment(env: NodeJS.ProcessEnv): Promise<void> {
  try {
    const options = environmentOptions(env);
    if (options === null) return;
    const { host, port } = await serveDiagnostics(options);
    if (env.MU_DIAGNOSTICS_PORT_FILE) writePort(env.MU_DIAGNOSTICS_PORT_FILE, port);
    else say(`diagnostics of process ${process.pid} on http://${host.includes(':') ? `[${host}]` : host}:${port}`);
  } catch (error) {
    say(`no diagnostics: ${error instanceof Error ? error.message : String(error)}`);
  }
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
