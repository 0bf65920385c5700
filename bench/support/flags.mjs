/** A number from the command line, as `--rounds=5`. @param {string} name @param {number} fallback */
export function numberFlag(name, fallback) {
  const text = process.argv.find((argument) => argument.startsWith(`--${name}=`))?.slice(name.length + 3);
  if (text === undefined) return fallback;
  if (!/^\d+$/.test(text)) throw new Error(`--${name}=${text}: expected a whole number`);
  return Number(text);
}
