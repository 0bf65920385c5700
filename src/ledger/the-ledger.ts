import { Ledger } from './ledger.js';

const PLACE = Symbol.for('mu-commander.ledger');

/**
 * The one ledger of this process. Loaded twice (preloaded and imported, or from two copies of the package) the first copy
 * counts and the others speak for it.
 */
export const theLedger: Ledger = ((globalThis as Record<symbol, unknown>)[PLACE] ??= new Ledger()) as Ledger;
