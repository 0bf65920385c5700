/**
 * A program that works and leaks: 20 intervals at `LINES.interval`, 5 more for each line on its standard input, objects in
 * `keepObjects`, processor time in `burnTime`. What it renews makes V8 collect.
 */
export const LEAKING_PROGRAM = `
const kept = [];
const intervals = [];
function openIntervals(count) {
  for (let index = 0; index < count; index++)
    intervals.push(setInterval(() => undefined, 60_000));
}
function keepObjects() {
  for (let index = 0; index < 600; index++) kept.push({ index, text: 'object ' + index });
}
let renewed = [];
function renewObjects() {
  for (let index = 0; index < 3_000; index++) renewed.push({ index, text: 'renewed ' + index });
  if (renewed.length > 60_000) renewed = [];
}
function burnTime() {
  const until = performance.now() + 15;
  let sum = 0;
  while (performance.now() < until) for (let turn = 1; turn < 10_000; turn++) sum += Math.sqrt(turn);
  return sum;
}
openIntervals(20);
process.stdin.on('data', () => openIntervals(5));
const work = setInterval(function workOnce() { burnTime(); keepObjects(); renewObjects(); }, 30);
process.stdin.on('end', () => { clearInterval(work); intervals.forEach(clearInterval); });
`;

const lines = LEAKING_PROGRAM.split('\n');
const lineOf = (part: string): number => lines.findIndex((line) => line.includes(part)) + 1;

/** 1-based. */
export const LINES = {
  interval: lineOf('intervals.push('),
  keepObjects: lineOf('function keepObjects'),
  burnTime: lineOf('function burnTime'),
};
