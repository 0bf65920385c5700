/** The one command that every server of this benchmark answers, with the same reply. */
export const PATTERN = 'schedule.get';
export const DATA = { id: 'hot-list.front-page', namespace: 'default', deadlineMs: 5_000, requestId: 'bench-1' };

/** @param {{ id: string }} request */
export function answer(request) {
  return { id: request.id, enabled: true, nextRunAt: 1_795_441_974_202, state: 'active', tags: ['news', 'hourly'] };
}

/** Nest's frame: length in UTF-16 code units, `#`, JSON. @param {unknown} packet */
export function frame(packet) {
  const json = JSON.stringify(packet);
  return `${json.length}#${json}`;
}
