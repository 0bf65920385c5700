import type { IncomingMessage } from 'node:http';

/**
 * Whether a browser sends this on behalf of another site's page, which need not read the answer to do harm: every page can
 * make a browser ask this machine. Programs send neither header.
 */
export function isFromForeignPage({ headers }: IncomingMessage): boolean {
  const site = headers['sec-fetch-site'];
  if (site === 'cross-site' || site === 'same-site') return true;
  const { origin, host } = headers;
  return origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`;
}
