const KEY = 'diagnostics-token';

/** The bearer token, kept for this tab only. */
export function storedToken(): string | null {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    // A browser that allows no storage: the token is asked for again after a reload.
    return remembered;
  }
}

let remembered: string | null = null;

export function storeToken(token: string | null): void {
  remembered = token;
  try {
    if (token === null) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, token);
  } catch {
    // As above.
  }
}
