import { topTopics } from './ranking.js';
import { boardTitles, newsTitles, videoTitles } from './titles.js';

/** Makes a page for a moment. */
export type Page = (atMs: number) => string;

/** The pages by path, each shaped like one kind of hot list that exists on the web. */
export const pages: Partial<Record<string, Page>> = {
  '/news': newsPage,
  '/board': boardPage,
  '/videos': videosPage,
};

/** Table rows with ranks, each followed by a row of details. */
function newsPage(atMs: number): string {
  const rows = topTopics(newsTitles, 12, atMs).map(
    ({ id, title, heat }, index) => `
      <tr class="athing" id="${id}">
        <td align="right" class="title"><span class="rank">${index + 1}.</span></td>
        <td class="votelinks"><a href="/vote?id=${id}">▲</a></td>
        <td class="title"><span class="titleline"><a href="/news/item?id=${id}">${escape(title)}</a>
          <span class="sitebit"> (<a href="/from?site=example.org">example.org</a>)</span></span></td>
      </tr>
      <tr><td colspan="2"></td><td class="subtext">${heat} points by <a href="/user?id=u${id}">u${id}</a> |
        <a href="/news/item?id=${id}#comments">${heat % 97} comments</a></td></tr>`,
  );
  return html('News', `<table class="itemlist"><tbody>${rows.join('')}</tbody></table><a href="?p=2">More</a>`);
}

/** An ordered list; the rank is the position. */
function boardPage(atMs: number): string {
  const lines = topTopics(boardTitles, 10, atMs).map(
    ({ id, title, heat }) =>
      `<li><a class="title" href="/board/topic/${id}">${escape(title)}</a> <span class="heat">${heat}万</span></li>`,
  );
  return html('热榜', `<ol class="hot">${lines.join('')}</ol>`);
}

/** Cards with a badge. */
function videosPage(atMs: number): string {
  const cards = topTopics(videoTitles, 8, atMs).map(
    ({ id, title, heat }, index) => `
      <article class="card"><span class="badge">#${index + 1}</span><a href="/videos/${id}"><img src="/thumb/${id}.jpg" alt=""></a>
        <h3><a href="/videos/${id}">${escape(title)}</a></h3><p>${heat} views</p></article>`,
  );
  return html('Trending', `<section class="card-list">${cards.join('')}</section>`);
}

function html(title: string, body: string): string {
  return `<!doctype html><html><head><meta charset="utf-8"><title>${title}</title></head><body>
    <nav><a href="/">Home</a> <a href="/login">Log in to your account</a> <a href="/about">About this little website</a></nav>
    <main>${body}</main><footer><a href="/terms">Terms and conditions of use</a></footer></body></html>`;
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
