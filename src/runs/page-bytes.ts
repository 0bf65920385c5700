import type { Settings } from '../config/settings.js';

/** What an item of a page takes beside its payload and result. */
export const VIEW_OVERHEAD_BYTES = 1_024;

/**
 * How long a page may become before it ends early: a reply longer than MAX_SEND_BUFFER_BYTES is refused, and a caller's `limit`
 * must not fill our memory. The first item always fits (docs/settings.md: MAX_RESULT_BYTES).
 */
export function pageBytesOf({ maxSendBufferBytes }: Pick<Settings, 'maxSendBufferBytes'>): number {
  return Math.floor(maxSendBufferBytes * 0.75);
}
