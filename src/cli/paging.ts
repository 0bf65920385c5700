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

interface Page<Item> {
  items: Item[];
  nextCursor?: string;
}

/** Fetches page after page until there are `limit` items or no more; the pages as one, with the cursor of the last. */
export async function allPages<Item>(
  fetch: (page: { limit: number; cursor?: string }) => Promise<Page<Item>>,
  { limit = DEFAULT_LIMIT, cursor }: { limit?: number; cursor?: string },
): Promise<Page<Item>> {
  const items: Item[] = [];
  for (;;) {
    const page = await fetch({ limit: Math.min(MAX_PAGE_ITEMS, limit - items.length), cursor });
    items.push(...page.items);
    if (page.nextCursor === undefined) return { items };
    // A page may be short or even empty and still have a successor, but never itself.
    if (items.length >= limit || page.nextCursor === cursor) return { items, nextCursor: page.nextCursor };
    cursor = page.nextCursor;
  }
}

/** The answer of a list. */
export function listAnswer<Item>(reply: Page<Item>, text: CliAnswer['text']): CliAnswer {
  const { items, nextCursor } = reply;
  if (nextCursor === undefined) return { reply, text };
  // A page that is just full has a cursor even if nothing follows.
  const note = `${items.length} shown, there may be more: a larger --limit, or --cursor '${nextCursor}'`;
  return { reply, text, note };
}
