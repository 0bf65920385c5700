/** Answers of agents that are being written down while their runs have no place any more. Bounded in number and in characters. */
export class UnwrittenAnswers {
  private count = 0;
  private chars = 0;

  constructor(private readonly limits: { count: number; chars: number }) {}

  /** @returns whether there is room for one more of this length; then {@link give} gives it back */
  tryTake(length: number): boolean {
    if (this.count >= this.limits.count || this.chars + length > this.limits.chars) return false;
    this.count += 1;
    this.chars += length;
    return true;
  }

  give(length: number): void {
    this.count -= 1;
    this.chars -= length;
  }
}
