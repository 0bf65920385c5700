/** A printed table, parsed by where its titles begin: title → cell, a row each. */
export function tableRows(text: string): Record<string, string>[] {
  const [head, ...lines] = text.trimEnd().split('\n');
  const titles = [...head.matchAll(/\S+(?: \S+)*/g)].map((match) => ({ title: match[0], from: match.index }));
  return lines.map((line) =>
    Object.fromEntries(
      titles.map(({ title, from }, at) => [title, line.slice(from, titles[at + 1]?.from).trim()] as const),
    ),
  );
}
