/** One job of the benchmark, the same on both sides. @param {number} index */
export function jobOf(index) {
  return {
    name: 'crawl',
    payload: { url: `https://example.org/articles/${index}`, depth: 1, changedSince: 1_795_000_000_000 },
  };
}

/** The job of one schedule. @param {number} index */
export function scheduledJobOf(index) {
  return {
    name: 'crawl',
    payload: { url: `https://example.org/sites/${index}/hot`, depth: 1, changedSince: 1_795_000_000_000 },
  };
}
