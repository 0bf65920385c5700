/** Where the parts of an item are on a page of one shape. */
export interface ListPreset {
  /** One element per item, in the order of the list. */
  item: string;
  /** Inside the item: the link with the title. */
  link: string;
  /** Inside the item: a number, if the page shows ranks. */
  rank?: string;
}

/** Page shapes with a name. A new shape is one more line here. */
export const listPresets: Record<string, ListPreset> = {
  'table-rows': { item: 'tr.athing', link: '.titleline > a, td.title > a', rank: '.rank' },
  'ordered-list': { item: 'ol.hot > li', link: 'a.title, a', rank: '.rank' },
  cards: { item: 'article.card, .card-list > .card', link: 'h2 a, h3 a, a.title', rank: '.badge' },
};
