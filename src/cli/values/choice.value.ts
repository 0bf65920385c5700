import { UsageError } from '../usage.error.js';

/** A reader of one of these words. */
export function readChoice<Choice extends string>(choices: readonly Choice[]): (text: string) => Choice {
  return (text) => {
    const choice = choices.find((candidate) => candidate === text);
    if (choice === undefined) throw new UsageError(`${JSON.stringify(text)} is none of ${choices.join(', ')}`);
    return choice;
  };
}
