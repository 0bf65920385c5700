/** Decides which creations of one kind get their stack captured: all while they are slow, a random share when they are fast. */
export class CaptureGate {
  /** What the next captured creation stands for: 1/p, a power of two. */
  weight = 1;
  /** Creations to let pass before the next capture. Read and counted down by the caller, so that the common path has no call. */
  skip = 0;

  private tokens: number;
  private overdrawn = 0;

  /**
   * @param targetPerSecond captures per second a kind may take for ever
   * @param burst captures it may take at once after a quiet time
   */
  constructor(
    public targetPerSecond: number,
    private readonly burst: number,
    private readonly random: () => number = Math.random,
  ) {
    this.tokens = burst;
  }

  /** A capture was taken. */
  taken(): void {
    if (this.tokens >= 1) this.tokens--;
    else if (++this.overdrawn >= this.targetPerSecond) {
      this.overdrawn = 0;
      this.weight *= 2;
    }
    this.skip = this.gap();
  }

  /** @param createdCount creations since the last tick */
  tick(createdCount: number, elapsedMs: number): void {
    const elapsedSeconds = elapsedMs / 1000;
    this.tokens = Math.min(this.burst, this.tokens + this.targetPerSecond * elapsedSeconds);
    this.overdrawn = 0;
    const ratio = createdCount / elapsedSeconds / this.targetPerSecond;
    // Within the burst budget a little over the target is still captured whole.
    const weight = ratio <= 1 || (ratio <= 2 && this.tokens > this.burst / 2) ? 1 : 2 ** Math.ceil(Math.log2(ratio));
    if (weight === this.weight) return;
    this.weight = weight;
    // Geometric gaps have no memory, so a new one may start at any time without bias.
    this.skip = this.gap();
  }

  /** Random, not every n-th: a fixed stride falls into step with a program that repeats itself. */
  private gap(): number {
    if (this.weight === 1) return 0;
    return Math.floor(Math.log(1 - this.random()) / Math.log(1 - 1 / this.weight));
  }
}
