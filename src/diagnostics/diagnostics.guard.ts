import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { DIAGNOSTICS_TOKEN } from './diagnostics.options.js';
import { HttpRefusal } from './http-refusal.js';
import { isLocalRequest } from './loopback.js';

/** On every answer, the refusals included: nothing is stored, sniffed, embedded or run. */
const headers = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
} as const;

/**
 * Lets in a request from this machine, or one with the bearer token. A local request needs no token, even where one is
 * set: whoever is on the machine can read more than this from /proc.
 * Others get 401 where a token would help, 403 where none is set.
 */
@Injectable()
export class DiagnosticsGuard implements CanActivate {
  private readonly tokenDigest: Buffer | undefined;

  constructor(
    @Inject(DIAGNOSTICS_TOKEN) token: string | undefined,
    @Inject(HttpAdapterHost) private readonly adapterHost: HttpAdapterHost,
  ) {
    // An empty token would let in everybody who sends "Bearer ".
    this.tokenDigest = token === undefined || token === '' ? undefined : digest(token);
  }

  canActivate(context: ExecutionContext): boolean {
    const http = context.switchToHttp();
    const request = http.getRequest<IncomingMessage & { raw?: IncomingMessage }>();
    const setHeader = (name: string, value: string) =>
      this.adapterHost.httpAdapter.setHeader(http.getResponse(), name, value);
    for (const [name, value] of Object.entries(headers)) setHeader(name, value);

    // Fastify wraps the request of Node; Express is one. The peer is the socket's: `request.ip` believes proxies.
    const raw = request.raw ?? request;
    if (isLocalRequest(raw)) return true;
    if (this.tokenDigest === undefined) {
      throw new HttpRefusal('FORBIDDEN', 'diagnostics are served to this machine only: no token is set');
    }
    if (this.hasToken(raw.headers.authorization)) return true;
    setHeader('WWW-Authenticate', 'Bearer realm="diagnostics"');
    throw new HttpRefusal(
      'UNAUTHENTICATED',
      'diagnostics need the bearer token, or a direct request from this machine',
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
