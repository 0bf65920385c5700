import { ask } from './api.js';

/**
 * Saves an answer as a file. Fetched by script, because a link could not carry the token.
 * @throws ApiError for anything but a 2xx
 */
export async function takeAway(path: string, file: string): Promise<void> {
  const blob = await (await ask(path)).blob();
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = file;
  link.click();
  URL.revokeObjectURL(link.href);
}
