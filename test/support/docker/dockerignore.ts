/**
 * Whether a path of the checkout stays out of the build context: the last pattern that matches it or a folder above it
 * decides. Knows what our file uses: names, `*`, `**` and `!`.
 */
export function isIgnored(ignoreFile: string, path: string): boolean {
  const parts = path.split('/');
  const candidates = parts.map((_, index) => parts.slice(0, index + 1).join('/'));
  let ignored = false;
  for (const line of ignoreFile.split('\n').map((text) => text.trim())) {
    if (line === '' || line.startsWith('#')) continue;
    const pattern = matcher(line.replace(/^!/, ''));
    if (candidates.some((candidate) => pattern.test(candidate))) ignored = !line.startsWith('!');
  }
  return ignored;
}

function matcher(pattern: string): RegExp {
  const source = pattern
    .replace(/^\/|\/$/g, '')
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*\*\/|\*\*|\*|\?/g, (wildcard) => ({ '**/': '(?:.*/)?', '**': '.*', '*': '[^/]*' })[wildcard] ?? '[^/]');
  return new RegExp(`^${source}$`);
}
