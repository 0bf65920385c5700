import type { HeapSamplingStatus, LedgerCounts } from '../../ledger/index.js';

const DESCRIPTIONS: readonly (readonly [name: string, text: string])[] = [
  [
    'handles',
    'Live resources (sockets, clients, timers, …) by the line that made them; seconds=N: what changes meanwhile.',
  ],
  ['goroutine', 'The same under the name that tools for Go ask for.'],
  ['heap', 'Live heap by the function that allocated it, sampled; the first request starts the sampler.'],
  ['allocs', 'The same as heap: V8 forgets what is dead.'],
  ['profile', 'Processor time by function; seconds=N tells for how long (30).'],
  ['cmdline', 'The program and its main file, without arguments.'],
];

/** The page at `/debug/pprof/`: what is alive, and where the profiles are. No script, no style, nothing from elsewhere. */
export function pprofIndex({ ledger, kinds }: LedgerCounts, heap: HeapSamplingStatus): string {
  const handlesCount = kinds.reduce((sum, { live }) => sum + live, 0);
  const counts: Record<string, string> = {
    handles: String(handlesCount),
    goroutine: String(handlesCount),
    heap: heap.running ? `${heap.sitesCount} sites` : 'off',
    allocs: heap.running ? `${heap.sitesCount} sites` : 'off',
  };
  const profiles = DESCRIPTIONS.map(
    ([name]) => `<tr><td align="right">${counts[name] ?? ''}</td><td>${profileLink(name)}</td></tr>`,
  );
  const alive = kinds.map(
    ({ kind, live, exact }) =>
      `<tr><td align="right">${exact ? '' : '~'}${live}</td><td><a href="../../diagnostics/groups?kind=${encodeURIComponent(kind)}&amp;format=text">${escaped(kind)}</a></td></tr>`,
  );
  return `<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>/debug/pprof/</title></head>
<body>
<h1>/debug/pprof/</h1>
<p>Types of profiles available:</p>
<table>
<thead><tr><th>Count</th><th>Profile</th></tr></thead>
<tbody>
${profiles.join('\n')}
</tbody>
</table>
<p><a href="handles?debug=2">full handle dump</a> <a href="../../diagnostics/openapi.json">all that is served (OpenAPI)</a></p>
<h2>Alive now</h2>
${ledger.running ? '' : '<p>The ledger is not running: start with --require mu-commander/register.</p>'}
<table>
<thead><tr><th>Count</th><th>Kind</th></tr></thead>
<tbody>
${alive.join('\n')}
</tbody>
</table>
<h2>Profile descriptions</h2>
<ul>
${DESCRIPTIONS.map(([name, text]) => `<li><b>${name}</b>: ${escaped(text)}</li>`).join('\n')}
</ul>
</body>
</html>
`;
}

/** Text where there is a text; a profile of the processor would be waited for. */
function profileLink(name: string): string {
  return `<a href="${name}${name === 'profile' || name === 'cmdline' ? '' : '?debug=1'}">${name}</a>`;
}

/** An application names its own kinds. */
function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
