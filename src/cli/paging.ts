import type { CliAnswer } from './cli-command.js';
import { textOption, valueOption } from './cli-option.js';
import { readWholeNumber } from './values/whole-number.value.js';

/** Most items of one page of the contract. */
const MAX_PAGE_ITEMS = 500;
const DEFAULT_LIMIT = 50;

/** Options of every list. */
export const pagingOptions = {
  limit: valueOption('COUNT', `how many at most (default ${DEFAULT_LIMIT})`, readWholeNumber(1, 10_000)),
  cursor: textOption('CURSOR', 'go on behind an earlier list that had more'),
};

/** A record in Redis that cannot be read: its id, under whatever name, and why. */
type Broken = Record<string, string> & { why: string };

interface Page<Item, Torn extends Broken = Broken> {
  items: Item[];
  broken?: Torn[];
  nextCursor?: string;
}

/** Fetches page after page until there are `limit` items or no more; the pages as one, with the cursor of the last. */
export async function allPages<Item, Torn extends Broken>(
  fetch: (page: { limit: number; cursor?: string }) => Promise<Page<Item, Torn>>,
  { limit = DEFAULT_LIMIT, cursor }: { limit?: number; cursor?: string },
): Promise<Page<Item, Torn>> {
  const items: Item[] = [];
  const broken: Torn[] = [];
  for (;;) {
    const page = await fetch({ limit: Math.min(MAX_PAGE_ITEMS, limit - items.length), cursor });
    items.push(...page.items);
    broken.push(...(page.broken ?? []));
    const pages = broken.length === 0 ? { items } : { items, broken };
    if (page.nextCursor === undefined) return pages;
    // A page may be short or even empty and still have a successor, but never itself.
    if (items.length >= limit || page.nextCursor === cursor) return { ...pages, nextCursor: page.nextCursor };
    cursor = page.nextCursor;
  }
}

/** The answer of a list. */
export function listAnswer<Item>(reply: Page<Item>, text: CliAnswer['text']): CliAnswer {
  const { items, broken = [], nextCursor } = reply;
  const notes = broken.map(({ why, ...id }) => `the record of ${Object.values(id).join()} in Redis is broken: ${why}`);
  if (nextCursor !== undefined) {
    // A page that is just full has a cursor even if nothing follows.
    notes.push(`${items.length} shown, there may be more: a larger --limit, or --cursor '${nextCursor}'`);
  }
  return notes.length === 0 ? { reply, text } : { reply, text, note: notes.join('; ') };
}
