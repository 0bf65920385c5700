import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const root = resolve(__dirname, '../..');

it('docs/commands.md and docs/settings.md are what the schemas say', () => {
  execFileSync(process.execPath, ['scripts/docs.mjs', '--check'], { cwd: root, stdio: 'pipe' });
});

function markdownFiles(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    if (name === 'node_modules' || name === 'dist' || name.startsWith('.')) return [];
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return markdownFiles(path);
    return name.endsWith('.md') ? [path] : [];
  });
}

it.each(markdownFiles(root).map((file) => file.slice(root.length + 1)))(
  '%s names only files that are there',
  (file) => {
    const text = readFileSync(join(root, file), 'utf8');
    const links = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, target]) => join(dirname(file), target));
    const named = [...text.matchAll(/`((?:src|test|bench|scripts|k8s|docs|examples|leaklab)\/[\w./-]*)`/g)].map(
      ([, target]) => target,
    );
    expect([...links, ...named].filter((target) => !existsSync(join(root, target)))).toEqual([]);
  },
);
