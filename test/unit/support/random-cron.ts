/** Numbers that look random and are the same for the same seed. */
export class SeededRandom {
  constructor(private state: number) {}

  /** A whole number, both ends included. */
  int(least: number, most: number): number {
    // mulberry32
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    const unit = ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    return least + Math.floor(unit * (most - least + 1));
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.int(0, items.length - 1)];
  }
}

/**
 * An expression of the kinds that people write, most of them due in the hours in which clocks are changed.
 * @param plain only what every cron implementation understands
 */
export function randomCron(random: SeededRandom, { plain = false } = {}): string {
  const hour = () => random.pick([0, 0, 1, 1, 2, 2, 2, 3, 3, random.int(0, 23), random.int(21, 23)]);
  const list = (least: number, most: number, count: number) =>
    [...new Set(Array.from({ length: count }, () => random.int(least, most)))].sort((a, b) => a - b).join(',');
  const range = (least: number, most: number) => {
    const low = random.int(least, most);
    return `${low}-${random.int(low, most)}`;
  };
  const minute = random.pick([
    () => '0',
    () => String(random.int(0, 59)),
    () => list(0, 59, 3),
    () => range(0, 59),
    () => `*/${random.pick([5, 7, 10, 15, 20, 30])}`,
    () => `${random.int(0, 20)}-${random.int(21, 59)}/${random.int(2, 11)}`,
    () => '*',
  ])();
  const hours = random.pick([
    () => String(hour()),
    () => String(hour()),
    () => [...new Set([hour(), hour(), random.int(4, 20)])].sort((a, b) => a - b).join(','),
    () => range(0, 5),
    () => `*/${random.pick([2, 3, 4, 6])}`,
    () => `${random.int(0, 3)}-${random.int(10, 23)}/${random.int(2, 5)}`,
    () => '*',
  ])();
  const date = random.pick([
    () => '*',
    () => '*',
    () => '*',
    () => range(1, 31),
    () => list(1, 31, 4),
    () => `*/${random.int(2, 9)}`,
    ...(plain ? [] : [() => 'L', () => 'LW', () => `${random.int(1, 31)}W`, () => `${random.int(1, 20)},L`]),
  ])();
  const month = random.pick(['*', '*', '*', '*', range(1, 12), list(1, 12, 5), '*/2', 'MAR,APR,SEP-NOV']);
  const weekday = random.pick([
    () => '*',
    () => '*',
    () => '*',
    () => range(0, 6),
    () => list(0, 6, 2),
    () => 'SUN',
    () => 'MON-FRI',
    ...(plain
      ? []
      : [
          () => '0L',
          () => `${random.int(0, 6)}#${random.int(1, 5)}`,
          () => `+${list(0, 6, 3)}`,
          () => '6,7',
          () => 'SUN#2',
        ]),
  ])();
  const fields = [minute, hours, date, month, weekday];
  // Seconds only where they do not make a million ticks a year.
  if (random.int(0, 3) === 0) {
    const second = random.pick([
      () => String(random.int(0, 59)),
      () => list(0, 59, 3),
      () => `*/${random.pick([15, 20])}`,
    ])();
    fields.unshift(second);
  }
  return fields.join(' ');
}
