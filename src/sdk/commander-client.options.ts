import type { ConnectionOptions } from 'node:tls';
import { z } from 'zod';
import { idSchema } from '../contract/common.schema.js';

const durationMs = (max: number) => z.int().min(1).max(max);

export const commanderClientOptionsSchema = z.strictObject({
  host: z.string().min(1).max(253).default('127.0.0.1'),
  port: z.int().min(1).max(65_535).default(7970),
  /** `COMMANDER_TOKEN` of the service, if it has one. */
  token: z.string().min(1).max(512).optional(),
  /** Namespace of requests that name none. */
  namespace: idSchema.default('default'),
  /** Deadline of requests that name none. */
  requestTimeoutMs: durationMs(600_000).default(5_000),
  /** How long one attempt to connect may take. */
  connectTimeoutMs: durationMs(60_000).default(2_000),
  /** TLS to commander: what `tls.connect` takes, `{}` for the defaults. */
  tls: z.custom<ConnectionOptions>((value) => typeof value === 'object' && value !== null).optional(),
  /** How often a request is sent again where that is safe (see `CommanderClient`), within its deadline. */
  maxRepeats: z.int().min(0).max(100).default(8),
  /** Longest request, as MAX_FRAME_BYTES of the service; a longer one is refused here instead of ending the connection that all others share. */
  maxFrameBytes: z.int().min(1_024).max(134_217_728).default(131_072),
  /** Longest reply, in UTF-16 code units. */
  maxReplyChars: z.int().min(1_024).max(134_217_728).default(16_777_216),
  /** Requests that may wait for a commander that does not read; the next one is refused with RATE_LIMITED. */
  maxSendBufferBytes: z.int().min(1_024).max(134_217_728).default(8_388_608),
  /** How long closing may take. */
  closeTimeoutMs: durationMs(60_000).default(1_000),
});

/** What `CommanderClientModule.forRoot` takes; everything has a default. */
export type CommanderClientOptions = z.input<typeof commanderClientOptionsSchema>;
export type CommanderClientSettings = z.output<typeof commanderClientOptionsSchema>;

/** Injection token of {@link CommanderClientOptions}. */
export const COMMANDER_CLIENT_OPTIONS = Symbol('COMMANDER_CLIENT_OPTIONS');

/**
 * Checks options given in code and fills in defaults.
 * @throws TypeError naming the option and what is expected
 */
export function readOptions<Schema extends z.ZodType>(
  what: string,
  schema: Schema,
  options: unknown,
): z.output<Schema> {
  const parsed = schema.safeParse(options);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'options'}: ${message}`);
  throw new TypeError(`${what}: ${problems.join('; ')}`);
}
