import type { IncomingMessage } from 'node:http';

const LOOPBACK_V4 = /^127\.(?:\d{1,3})\.(?:\d{1,3})\.(?:\d{1,3})$/;
/** `X-Forwarded-For` and its relatives: some proxy speaks for somebody else, and we cannot know for whom. */
const FORWARDING =
  /^(?:forwarded|via|x-forwarded(?:-.+)?|x-real-ip|(?:x-|x-cluster-|true-|fly-|fastly-)?client-ip|x-(?:original|envoy|vercel)-.+|x-varnish|cdn-loop|cf-(?:connecting-ip|ray))$/;

/**
 * Whether a person or program on this machine asks: peer address loopback, Host a loopback name (a page of another site
 * that was resolved to 127.0.0.1 sends its own), and no trace of a proxy. A proxy on this machine that rewrites Host and adds
 * no header, as nginx does by itself, leaves none.
 */
export function isLocalRequest(request: IncomingMessage): boolean {
  const hosts = request.headersDistinct['host'] ?? [];
  return (
    isLoopbackAddress(request.socket.remoteAddress) &&
    hosts.length === 1 &&
    isLoopbackHost(hosts[0] ?? '') &&
    !Object.keys(request.headers).some((name) => FORWARDING.test(name))
  );
}

/** An address as sockets tell it; IPv4 may come mapped into IPv6. */
export function isLoopbackAddress(address: string | undefined): boolean {
  if (address === undefined) return false;
  return address === '::1' || LOOPBACK_V4.test(address.replace(/^::ffff:/i, ''));
}

/** A Host header, with or without a port. */
export function isLoopbackHost(host: string): boolean {
  const name = host.replace(/:\d{1,5}$/, '').toLowerCase();
  return name === 'localhost' || name === '[::1]' || LOOPBACK_V4.test(name);
}
