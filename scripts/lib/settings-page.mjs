/** Renders docs/settings.md from the table of settings. */
export function settingsPage(settings) {
  const rows = Object.values(settings).map(({ env, default: value, expected, doc }) => {
    const shown = value === undefined || (Array.isArray(value) && value.length === 0) ? '–' : `\`${value}\``;
    return `| \`${env}\` | ${shown} | ${expected} | ${doc} |`;
  });
  return [
    '# Settings',
    '',
    'Read from the environment once, at the start. A value that is not as expected stops the start with a message that names',
    'variable, value (of what may hold a secret `<hidden>`) and what is expected. So does what cannot be meant together:',
    'a certificate without its key, `REDIS_NODES` without `REDIS_MODE`, `AGENT_TLS_…` without `AGENT_TLS=true`, `DIAGNOSTICS_TRUST_LOOPBACK=false`',
    'without `DIAGNOSTICS_TOKEN`, a host beyond loopback without a token, a drain longer than the shutdown, a heartbeat slower than the lease.',
    'This page is written by `npm run docs` from `src/config/settings.ts`.',
    '',
    '| variable | default | expected | what it does |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}
