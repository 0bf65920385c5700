import { z } from 'zod';
import { SettingsError } from '../config/settings.js';
import type { GrantSpec } from './grant.js';
import { digestOf, type TokenGrant } from './token-grants.js';

/** Tokens in one file. Each request is compared with all of them. */
const MAX_TOKENS = 1_000;
/** A shorter one can be guessed. */
const MIN_TOKEN_LENGTH = 16;

const pattern = z
  .string()
  .regex(/^[A-Za-z0-9._@-]*\*?$/, 'must be a name, or the beginning of names with "*" at its end');
const patterns = z.array(pattern.min(1)).min(1).max(100);

const fileSchema = z.strictObject({
  tokens: z
    .array(
      z
        .strictObject({
          /** Shown in errors and log lines. */
          name: z.string().min(1).max(64),
          /** The token itself, or … */
          token: z.string().min(MIN_TOKEN_LENGTH).max(512).optional(),
          /** … the hex SHA-256 of it, so that who reads the file cannot use it. */
          sha256: z
            .string()
            .regex(/^[0-9a-f]{64}$/)
            .optional(),
          namespaces: patterns,
          commands: patterns,
          agentIds: patterns.optional(),
        })
        .refine(({ token, sha256 }) => (token === undefined) !== (sha256 === undefined), {
          message: 'expected one of token and sha256',
        }),
    )
    .max(MAX_TOKENS),
});

/**
 * Reads what COMMANDER_TOKENS_FILE holds: `{"tokens": [{"name", "token" | "sha256", "namespaces", "commands", "agentIds"?}]}`.
 * @throws SettingsError naming the place that is wrong, never a token
 */
export function parseTokens(path: string, json: string): TokenGrant[] {
  const refuse = (why: string): never => {
    throw new SettingsError(`COMMANDER_TOKENS_FILE=${JSON.stringify(path)}: ${why}`);
  };
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    // The message of JSON.parse quotes the text.
    return refuse('expected JSON');
  }
  const parsed = fileSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return refuse(`${issue.path.join('.') || 'the file'}: ${issue.message}`);
  }
  return parsed.data.tokens.map(({ token, sha256, ...spec }) => ({
    digest: sha256 === undefined ? digestOf(token!) : Buffer.from(sha256, 'hex'),
    spec: spec satisfies GrantSpec,
  }));
}
