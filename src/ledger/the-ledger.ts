import { Ledger } from './ledger.js';

const PLACE = Symbol.for('mu-commander.ledger');
const place = globalThis as unknown as Record<symbol, Ledger | undefined>;

if (!place[PLACE]) Object.defineProperty(globalThis, PLACE, { value: new Ledger() });

/**
 * The one ledger of this process. Loaded twice (preloaded and imported, or from two copies of the package) the first copy
 * counts and the others speak for it.
 */
export const theLedger = place[PLACE] as Ledger;
