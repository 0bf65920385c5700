import { cleanText } from './clean-text.js';

/** `src/crawl.ts:42 in fetchPage`. */
export function placeText({
  file,
  line,
  function: name,
}: {
  file: string;
  line: number;
  function: string | null;
}): string {
  return cleanText(`${file}:${line}${name ? ` in ${name}` : ''}`);
}
