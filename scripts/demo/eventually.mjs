/** What `look` returns, as soon as it is something; undefined after `timeoutMs`. */
export async function eventually(look, timeoutMs, everyMs = 100) {
  const deadlineAt = Date.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== undefined || Date.now() >= deadlineAt) return found;
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
