import { cleanText } from '../text/clean-text.js';
import { nameOf } from './pprof-frame.js';
import type { ProfileData } from './profile.js';

/**
 * The profile as Go writes its own with `debug=1`: a line with the total, then per stack what it holds, and its calls below.
 * Most of the first listed figure first.
 */
export function profileText({ name, sampleTypes, defaultType, entries, comments = [] }: ProfileData): string {
  const shown = sampleTypes.findIndex(([type]) => type === defaultType);
  const total = entries.reduce((sum, { values }) => sum + values[shown]!, 0);
  const blocks = [...entries]
    .sort((a, b) => b.values[shown]! - a.values[shown]!)
    .map(({ stack, values, labels }) => {
      const figures = sampleTypes
        .map(([type, unit], index) => `${type}=${values[index]}${unit === 'count' ? '' : ` ${unit}`}`)
        .join(' ');
      const labelled: string[] = [];
      for (let at = 0; at < labels.length; at += 2) labelled.push(`${labels[at]}:${cleanText(labels[at + 1]!)}`);
      const calls = stack.map((frame) => `#\t${cleanText(nameOf(frame))}\t${cleanText(frame.file)}:${frame.line}\n`);
      return `${values[shown]} @ ${figures}\n${labelled.length > 0 ? `# labels: ${labelled.join(' ')}\n` : ''}${calls.join('')}`;
    });
  const head = `${name} profile: total ${total} ${sampleTypes[shown]![1]} (${defaultType})\n`;
  return `${head}${comments.map((comment) => `# ${comment}\n`).join('')}${blocks.join('\n')}`;
}
