import { parameters } from './verdict-parameters.js';

/** Remembers the highest level that was reached and given back: as much was healthy once. */
export class KnownPeak {
  private low = Infinity;
  private high = -Infinity;
  private known = -Infinity;

  /** @param least smaller rises are noise */
  constructor(private readonly least: number) {}

  learn(value: number): void {
    this.low = Math.min(this.low, value);
    if (value > this.high) this.high = value;
    else if (this.high - this.low >= this.least && value <= this.high - parameters.peakFall * (this.high - this.low)) {
      this.known = Math.max(this.known, this.high);
      this.high = value;
    }
  }

  /** It came down from here, or from a little less. */
  isWithin(value: number): boolean {
    return value <= this.low + parameters.peakFactor * (this.known - this.low);
  }

  /** As `learn` does by a fall of its own: something was seen to end. */
  giveBack(): void {
    this.known = Math.max(this.known, this.high);
  }
}
