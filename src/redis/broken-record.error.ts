import { CommandError } from '../contract/command-error.js';

/** What a hash holds that is no record of ours; with it nothing else is wrong. */
export class BrokenRecordError extends CommandError {
  /**
   * @param what whose record: `schedule`, `run`, `agent`
   * @param why what is wrong with it
   * @param fields the hash as it was read; empty where the key holds something else
   */
  constructor(
    what: string,
    readonly id: string,
    readonly why: string,
    readonly fields: Readonly<Record<string, string>> = {},
  ) {
    super('BROKEN_RECORD', `the record of ${what} ${id} in Redis is broken: ${why}`);
  }
}
