/** What a person sees once commander is ready: where everything is, and one thing to try. */
export function banner({ tcp, http, redisUrl, dataDir }) {
  const httpUrl = `http://${reachable(http.host)}:${http.port}`;
  return [
    '',
    'Commander is up.',
    `  TCP    ${reachable(tcp.host)}:${tcp.port}   commands of other Nest apps`,
    `  HTTP   ${httpUrl}   /livez /readyz /diagnostics`,
    `  Redis  ${withoutPassword(redisUrl)}${dataDir ? `   data in ${dataDir}, stops with commander` : ''}`,
    `Try next, in a second terminal:  curl -s ${httpUrl}/diagnostics`,
    '',
  ].join('\n');
}

/** An address to type: "every interface" is not one. */
function reachable(host) {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}

function withoutPassword(url) {
  // Up to the last @: one in a password belongs to it.
  return url.replace(/\/\/.*@/, '//***@');
}
