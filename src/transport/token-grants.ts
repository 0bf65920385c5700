import { createHash, timingSafeEqual } from 'node:crypto';
import { Grant, type GrantSpec, unlimitedGrant } from './grant.js';

/** A token, known by its digest only, and what it opens. */
export interface TokenGrant {
  /** SHA-256. */
  readonly digest: Buffer;
  readonly spec: GrantSpec;
}

/** The tokens in force at a time. Finds the grant of one in a time that tells nothing about any of them. */
export class TokenGrants {
  private readonly entries: readonly { digest: Buffer; grant: Grant }[];

  /** @param commanderToken opens everything @param further each opens what it says */
  constructor(commanderToken: string | undefined, further: readonly TokenGrant[] = []) {
    this.entries = [
      ...(commanderToken === undefined ? [] : [{ digest: digestOf(commanderToken), grant: unlimitedGrant }]),
      ...further.map(({ digest, spec }) => ({ digest, grant: new Grant(spec) })),
    ];
  }

  find(token: unknown): Grant | undefined {
    if (typeof token !== 'string') return undefined;
    const digest = digestOf(token);
    let found: Grant | undefined;
    // To the end, whichever it is: neither its place nor how much of it is right shows in the time. Digests are compared
    // because only what has one length can be compared in constant time.
    for (const entry of this.entries) if (timingSafeEqual(digest, entry.digest)) found ??= entry.grant;
    return found;
  }
}

export function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
