import { createHash } from 'node:crypto';
import { type Cheerio, type CheerioAPI, type contains, load } from 'cheerio';
import type { ListItem } from './list-item.js';
import { listPresets } from './list-presets.js';

const MAX_ITEMS = 100;
const MAX_TITLE_CHARS = 300;
/** Fewer links than this are navigation, not a list. */
const MIN_ITEMS = 3;
/** Shorter texts are buttons ("more", "login"), not titles. */
const MIN_TITLE_CHARS = 6;

type Element = Parameters<typeof contains>[0];
type Selection = Cheerio<Element>;

/** What was read, and by which preset (`generic` when none fitted). */
export interface ParsedList {
  kind: string;
  items: ListItem[];
}

/**
 * Reads a list page.
 * @param kind a preset by name; without it the first that finds a list, else the generic reading
 * @throws RangeError when there is no preset of that name
 */
export function parseList(html: string, pageUrl: string, kind?: string): ParsedList {
  const $ = load(html);
  if (kind !== undefined && !Object.hasOwn(listPresets, kind)) {
    throw new RangeError(`no preset is called ${kind}; there are: ${Object.keys(listPresets).join(', ')}`);
  }
  for (const name of kind === undefined ? Object.keys(listPresets) : [kind]) {
    const preset = listPresets[name]!;
    const items = collect(
      $,
      $(preset.item).toArray(),
      (item) => item.find(preset.link).first(),
      (item) => (preset.rank === undefined ? '' : item.find(preset.rank).first().text()),
      pageUrl,
    );
    if (items.length >= (kind === undefined ? MIN_ITEMS : 1)) return { kind: name, items };
  }
  return { kind: 'generic', items: kind === undefined ? readGeneric($, pageUrl) : [] };
}

/**
 * Most lists are one element whose children are alike and each carry a link with a title. The element whose children
 * bring the most title text wins: menus have short texts, sidebars few links.
 */
function readGeneric($: CheerioAPI, pageUrl: string): ListItem[] {
  $('nav, header, footer, aside, script, style').remove();
  let best: ListItem[] = [];
  let bestScore = 0;
  for (const parent of $('ol, ul, tbody, table, main, section, div, body').toArray()) {
    const children = $(parent).children().toArray();
    if (children.length < MIN_ITEMS) continue;
    const items = collect(
      $,
      children,
      (child) => longestLink($, child),
      () => '',
      pageUrl,
    );
    const score = items.reduce((sum, { title }) => sum + Math.min(title.length, 80), 0);
    if (items.length < MIN_ITEMS || score <= bestScore) continue;
    best = items;
    bestScore = score;
  }
  return best;
}

function longestLink($: CheerioAPI, child: Selection): Selection {
  const links: Selection = child.is('a[href]') ? child : child.find('a[href]');
  let longest = links.first();
  for (const link of links.toArray()) if (textOf($(link)).length > textOf(longest).length) longest = $(link);
  return longest;
}

function collect(
  $: CheerioAPI,
  elements: Element[],
  linkOf: (element: Selection) => Selection,
  rankOf: (element: Selection) => string,
  pageUrl: string,
): ListItem[] {
  const items: ListItem[] = [];
  const seen = new Set<string>();
  for (const element of elements) {
    const link = linkOf($(element));
    const title = textOf(link).slice(0, MAX_TITLE_CHARS);
    const url = absoluteUrl(link.attr('href'), pageUrl);
    if (url === undefined || title.length < MIN_TITLE_CHARS || seen.has(url)) continue;
    seen.add(url);
    // "1.", "#1"
    const shownRank = Number(/\d+/.exec(rankOf($(element)))?.[0]);
    items.push({ title, url, rank: shownRank > 0 ? shownRank : items.length + 1, key: keyOf(url) });
    if (items.length === MAX_ITEMS) break;
  }
  return items;
}

function textOf(element: Selection): string {
  return (element.text() || element.attr('title') || '').replace(/\s+/g, ' ').trim();
}

function absoluteUrl(href: string | undefined, pageUrl: string): string | undefined {
  if (href === undefined || !URL.canParse(href, pageUrl)) return undefined;
  const url = new URL(href, pageUrl);
  url.hash = '';
  return url.protocol === 'http:' || url.protocol === 'https:' ? url.href : undefined;
}

function keyOf(url: string): string {
  return createHash('sha256').update(url).digest('hex').slice(0, 16);
}
