import { readFileSync, writeFileSync } from 'node:fs';

/**
 * Puts text between `<!-- name -->` and `<!-- /name -->` of a page that several commands write.
 * @throws Error when the page has no such section
 */
export function writeSection(file: string, name: string, text: string): void {
  const page = readFileSync(file, 'utf8');
  const [opening, closing] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [from, to] = [page.indexOf(opening), page.indexOf(closing)];
  if (from === -1 || to < from) throw new Error(`${file} has no section ${name}`);
  writeFileSync(file, `${page.slice(0, from + opening.length)}\n\n${text.trim()}\n\n${page.slice(to)}`);
}
