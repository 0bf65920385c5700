/** Shortest time that an answer looks back, in ms. */
export const MIN_WINDOW_MS = 10_000;

interface Stage<State> {
  sinceMs: number;
  state: State;
}

/**
 * "Since the last read" for more than one reader. Two stages overlap: the older one is reported, the younger one takes
 * its place only when it has run for {@link MIN_WINDOW_MS}. So a second reader a moment later sees the same stretch of
 * time instead of an empty one, and what happens while one stage is renewed is still in the other.
 */
export class ReadWindow<State> {
  private older: Stage<State>;
  private younger: Stage<State>;

  /** @param renew makes the state of a stage that begins now; gets the one it replaces, to reuse it */
  constructor(
    private readonly renew: (previous: State | undefined) => State,
    private readonly nowMs: () => number = () => performance.now(),
  ) {
    this.older = this.begin(undefined);
    this.younger = this.begin(undefined);
  }

  /** The state of the reported stage, handed to `report` before it may be renewed, and how long that stage has run. */
  read<Report>(report: (state: State, windowMs: number) => Report): Report {
    const nowMs = this.nowMs();
    const result = report(this.older.state, nowMs - this.older.sinceMs);
    if (nowMs - this.younger.sinceMs >= MIN_WINDOW_MS) {
      const renewed = this.begin(this.older.state);
      this.older = this.younger;
      this.younger = renewed;
    }
    return result;
  }

  /** Both states, to dispose of them. */
  states(): [State, State] {
    return [this.older.state, this.younger.state];
  }

  private begin(previous: State | undefined): Stage<State> {
    return { sinceMs: this.nowMs(), state: this.renew(previous) };
  }
}
