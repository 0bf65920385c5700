/**
 * What stands on the command line as `--name=value`. Without a fallback it has to be there.
 * @param {string} name @param {string} [fallback]
 */
export function textFlag(name, fallback) {
  const text = process.argv.find((argument) => argument.startsWith(`--${name}=`))?.slice(name.length + 3) ?? fallback;
  if (text === undefined) throw new Error(`--${name}= is missing`);
  return text;
}

/** A whole number, as `--rounds=5`. @param {string} name @param {number} [fallback] */
export function numberFlag(name, fallback) {
  const text = textFlag(name, fallback?.toString());
  if (!/^\d+$/.test(text)) throw new Error(`--${name}=${text}: expected a whole number`);
  return Number(text);
}
