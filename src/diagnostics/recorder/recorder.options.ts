import { hostname } from 'node:os';

/** How the recorder works, and where it keeps what it wrote. */
export interface RecorderOptions {
  /** Where samples outlive the process, on a local disk; made when it is missing. Default: they do not. */
  directory?: string | undefined;
  /** What all files in it together may take. Default 16 MiB. */
  maxBytes?: number | undefined;
  /** Under what name lives follow each other: letters, digits, `.`, `_`, `-`, 64 at most. Default: the host's name. */
  instance?: string | undefined;
  /** How often a sample is taken, in ms. Default 10,000. */
  intervalMs?: number | undefined;
  /** Share of the memory limit, or of V8's heap limit, from which on memory is short. Default 0.85. */
  softLimitRatio?: number | undefined;
}

/** The same without gaps. */
export interface RecorderSettings {
  directory: string | undefined;
  maxBytes: number;
  instance: string;
  intervalMs: number;
  softLimitRatio: number;
}

const INSTANCE = /^[A-Za-z0-9._-]{1,64}$/;
const MIN_BYTES = 1_048_576;

/** @throws TypeError naming the option that cannot be used */
export function recorderSettings(options: RecorderOptions = {}): RecorderSettings {
  const {
    directory,
    maxBytes = 16 * 1_048_576,
    instance = hostname()
      .replace(/[^A-Za-z0-9._-]/g, '-')
      .slice(0, 64),
    intervalMs = 10_000,
    softLimitRatio = 0.85,
  } = options;
  if (!INSTANCE.test(instance))
    throw new TypeError(
      `recorder.instance ${JSON.stringify(instance)}: expected 1–64 of letters, digits, ".", "_", "-"`,
    );
  if (!(maxBytes >= MIN_BYTES)) throw new TypeError(`recorder.maxBytes ${maxBytes}: expected at least ${MIN_BYTES}`);
  if (!(intervalMs >= 10)) throw new TypeError(`recorder.intervalMs ${intervalMs}: expected at least 10`);
  if (!(softLimitRatio > 0 && softLimitRatio <= 1))
    throw new TypeError(`recorder.softLimitRatio ${softLimitRatio}: expected above 0, up to 1`);
  // Empty is what an unset variable of the environment often is.
  return { directory: directory || undefined, maxBytes, instance, intervalMs, softLimitRatio };
}
