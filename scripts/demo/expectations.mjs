/** What the demo has to show. Each is printed when it is settled; the exit code is made of all of them. */
export class Expectations {
  constructor() {
    this.settled = [];
  }

  expect(what, isMet) {
    this.settled.push({ what, isMet: Boolean(isMet) });
  }

  get areMet() {
    return this.settled.every(({ isMet }) => isMet);
  }

  /** One line each. */
  lines() {
    return this.settled.map(({ what, isMet }) => `  ${isMet ? '✓' : '✗'} ${what}`);
  }
}
