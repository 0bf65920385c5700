import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/** Names in the certificate that the peer of a connection has proved to own: common name and DNS names. */
export function certificateNames(socket: Socket): ReadonlySet<string> {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return new Set();
  const { subject, subjectaltname } = socket.getPeerCertificate();
  const common = [subject?.CN ?? []].flat();
  // Node quotes a name that holds a comma or a quote, so that it cannot pass for several; none of ours has one.
  const alternative = (subjectaltname ?? '')
    .split(', ')
    .filter((name) => name.startsWith('DNS:') && !name.includes('"'))
    .map((name) => name.slice('DNS:'.length));
  return new Set([...common, ...alternative]);
}
