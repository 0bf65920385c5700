import { storedToken } from './token.js';

/** A request that was answered with an error. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    /** HTTP status; 0 when nobody answered. */
    readonly status: number,
    readonly code: string,
    message: string,
    readonly retryAfterMs: number | null = null,
  ) {
    super(message);
  }
}

/** The page stands at `…/diagnostics`, wherever the application mounts it. */
const base = new URL('.', location.href);

export function urlOf(path: string): string {
  return new URL(path, base).href;
}

/**
 * @param path below the page, without a leading slash: `diagnostics/groups`
 * @throws ApiError for anything but a 2xx
 */
export async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const token = storedToken();
  // No header could carry it: fetch would fail as if nobody had answered, after each reload again.
  if (token !== null && !/^[\x21-\x7e]+$/.test(token)) {
    throw new ApiError(401, 'UNAUTHENTICATED', 'a token has visible ASCII characters only');
  }
  let response: Response;
  try {
    response = await fetch(urlOf(path), {
      ...init,
      cache: 'no-store',
      headers: {
        Accept: 'application/json',
        ...(token === null ? {} : { Authorization: `Bearer ${token}` }),
        ...init.headers,
      },
    });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new ApiError(0, 'UNREACHABLE', 'the process does not answer');
  }
  if (response.ok) return response;
  const body = (await response.json().catch(() => ({}))) as { code?: string; message?: string };
  const retryAfter = Number(response.headers.get('Retry-After'));
  throw new ApiError(
    response.status,
    body.code ?? 'HTTP',
    body.message ?? `status ${response.status}`,
    retryAfter > 0 ? retryAfter * 1_000 : null,
  );
}

/** @throws ApiError for anything but a 2xx */
export async function askJson<Answer>(path: string, signal?: AbortSignal): Promise<Answer> {
  return (await (await ask(path, { signal: signal ?? null })).json()) as Answer;
}
