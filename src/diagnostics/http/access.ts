import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { HttpRefusal } from './http-refusal.js';
import { isLocalRequest } from './loopback.js';

/**
 * Lets in a request from this machine, or one with the bearer token. A local request needs no token, even where one is
 * set: whoever is on the machine can read more than this from /proc. Unless `trustLoopback` is false.
 */
export class Access {
  private readonly tokenDigest: Buffer | undefined;

  /** @throws Error when nobody could be let in */
  constructor(
    token: string | undefined,
    private readonly trustLoopback = true,
  ) {
    // An empty token would let in everybody who sends "Bearer ".
    this.tokenDigest = token === undefined || token === '' ? undefined : digest(token);
    if (!trustLoopback && this.tokenDigest === undefined)
      throw new Error('trustLoopback: expected a token where it is false');
  }

  /** @throws HttpRefusal 401 where a token would help, 403 where none is set */
  check(request: IncomingMessage): void {
    if (this.trustLoopback && isLocalRequest(request)) return;
    if (this.tokenDigest === undefined) {
      throw new HttpRefusal('FORBIDDEN', 'diagnostics are served to this machine only: no token is set');
    }
    if (this.hasToken(request.headers.authorization)) return;
    throw new HttpRefusal(
      'UNAUTHENTICATED',
      this.trustLoopback
        ? 'diagnostics need the bearer token, or a direct request from this machine'
        : 'diagnostics need the bearer token',
      { headers: { 'WWW-Authenticate': 'Bearer realm="diagnostics"' } },
    );
  }

  private hasToken(authorization: string | undefined): boolean {
    const given = /^bearer +(\S.*)$/i.exec(authorization ?? '')?.[1];
    // Digests have one length: the comparison tells nothing about the token, not even how long it is.
    return given !== undefined && this.tokenDigest !== undefined && timingSafeEqual(digest(given), this.tokenDigest);
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
