/** Prints a Markdown table, numbers to the right. @param {string[]} head @param {string[][]} rows */
export function printTable(head, rows) {
  console.log(`| ${head.join(' | ')} |`);
  console.log(`| --- |${' ---: |'.repeat(head.length - 1)}`);
  for (const row of rows) console.log(`| ${row.join(' | ')} |`);
  console.log();
}
