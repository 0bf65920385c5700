import { JobFailure } from 'mu-commander/agent';

const MAX_PAGE_BYTES = 2 * 1024 * 1024;
const USER_AGENT = 'mu-commander-hot-list-example/1.0';

/**
 * Fetches an HTML page.
 * @throws JobFailure, not retryable where another attempt would meet the same (wrong URL, page gone, no HTML, too large)
 */
export async function fetchPage(url: string, signal: AbortSignal): Promise<{ html: string; url: string }> {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new JobFailure(`not an http(s) URL: ${url}`, { retryable: false });
  }
  const response = await fetch(url, { signal, headers: { accept: 'text/html', 'user-agent': USER_AGENT } }).catch(
    (error: Error) => {
      // fetch hides the reason ("fetch failed") in the cause.
      throw new JobFailure(`${url}: ${(error.cause as Error | undefined)?.message ?? error.message}`, { cause: error });
    },
  );
  try {
    if (!response.ok) {
      const retryable = response.status >= 500 || response.status === 408 || response.status === 429;
      throw new JobFailure(`${url}: HTTP ${response.status}`, { retryable });
    }
    const type = response.headers.get('content-type') ?? 'text/html';
    if (!/html|xml/i.test(type)) throw new JobFailure(`${url}: ${type} instead of HTML`, { retryable: false });
    const bytes = await readBounded(response, url);
    return { html: decode(bytes, type), url: response.url };
  } finally {
    // A body that nobody reads holds its connection.
    if (!response.bodyUsed) await response.body?.cancel();
  }
}

async function readBounded(response: Response, url: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    // Leaving the loop cancels the body.
    if (bytes > MAX_PAGE_BYTES) throw new JobFailure(`${url}: more than ${MAX_PAGE_BYTES} bytes`, { retryable: false });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** By the charset of the header, else of the page's own `<meta>`, else UTF-8. */
function decode(bytes: Buffer, type: string): string {
  const declared = /charset=["']?([\w-]+)/i;
  const charset = declared.exec(type)?.[1] ?? declared.exec(bytes.subarray(0, 1_024).toString('latin1'))?.[1];
  try {
    return new TextDecoder(charset ?? 'utf-8').decode(bytes);
  } catch {
    return new TextDecoder().decode(bytes);
  }
}
