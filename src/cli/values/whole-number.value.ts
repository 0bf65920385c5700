import { UsageError } from '../usage.error.js';

/** A reader of whole numbers within these bounds. */
export function readWholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const number = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
    if (!(number >= min && number <= max)) {
      throw new UsageError(`${JSON.stringify(text)} is no whole number of ${min} to ${max}`);
    }
    return number;
  };
}
