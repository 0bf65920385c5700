/** A name or text from outside must not move the cursor of a terminal or start a line of its own. */
export function cleanText(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?');
}
