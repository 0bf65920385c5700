import { settings } from '../../../src/config/settings.js';
import { isSecret } from './settings.check.js';

const HEADER = [
  '# Every setting of the service that is not a secret, one variable a line; an overlay changes them with `behavior: merge`.',
  '# The line above a variable says what it is and what it may be. Nothing after the = means unset.',
];

/** The variables of a file of `NAME=value` lines. */
export function readVariables(text: string): Map<string, string> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line): [string, string] => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}

/** What k8s/base/commander.env has to look like: its own values, the default where it has none, the text of src/config/settings.ts. */
export function settingsFileText(current: ReadonlyMap<string, string>): string {
  const entries = Object.values(settings)
    .filter(({ env }) => !isSecret(env))
    .map((setting) => [
      `# ${setting.doc} (${setting.expected})`,
      `${setting.env}=${current.get(setting.env) ?? defaultText(setting.default)}`,
    ]);
  return `${[HEADER, ...entries].map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

/** A default as its variable would be written. */
export function defaultText(value: unknown): string {
  return value === undefined ? '' : String(value);
}
