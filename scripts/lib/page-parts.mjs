/** The table of the detector's parameters, for docs/verdicts.md. */
export function parametersTable(table) {
  const rows = Object.entries(table).map(
    ([name, { value, unit, reason }]) => `| \`${name}\` | ${value} ${unit} | ${reason} |`,
  );
  return ['| name | value | reason |', '| --- | --- | --- |', ...rows].join('\n');
}

/** A page with what stands between two of its marks replaced. @throws Error when the marks are not there */
export function withPart(page, name, part) {
  const marks = new RegExp(`<!-- ${name} -->[^]*<!-- end of ${name} -->`);
  if (!marks.test(page)) throw new Error(`no <!-- ${name} --> … <!-- end of ${name} -->`);
  return page.replace(marks, () => `<!-- ${name} -->\n${part}\n<!-- end of ${name} -->`);
}
