/** One thing that people talk about. */
export interface Topic {
  id: number;
  title: string;
  heat: number;
}

const TURN_MS = 20_000;

/** The hottest topics at a moment. Each has a wave of its own, so ranks change every few seconds and some topics come and go. */
export function topTopics(titles: readonly string[], count: number, atMs: number): Topic[] {
  return titles
    .map((title, id) => {
      const phase = id * 2.399963;
      const speed = 1 + (id % 5) / 4;
      const heat = Math.round(5_000 + 400 * ((id * 7) % 11) + 3_000 * Math.sin((atMs / TURN_MS) * speed + phase));
      return { id, title, heat };
    })
    .sort((a, b) => b.heat - a.heat || a.id - b.id)
    .slice(0, count);
}
