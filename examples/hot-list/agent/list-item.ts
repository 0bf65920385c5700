/** One line of a hot list. */
export interface ListItem {
  title: string;
  url: string;
  /** 1 first. */
  rank: number;
  /** The same for the same link, wherever it stands: what to compare two crawls by. */
  key: string;
}

/** The result of a crawl, as it is stored under the site's key. */
export interface HotList {
  url: string;
  /** Which preset read the page. */
  kind: string;
  items: ListItem[];
}
