import type { KindHooks } from '../hooks/kind-hooks.js';

/** One file in this directory: how resources of one sort are seen to open and to close. */
export interface Kind {
  /** Name in the table of kinds and in the setting `without`. */
  readonly name: string;
  /** Hooks the program. Runs once, when the ledger starts; everything it hooks is undone by the ledger. */
  install(hooks: KindHooks): void;
}
