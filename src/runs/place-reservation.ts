/** Places of this replica that are kept for runs about to be made. What is not used by `close` goes back. */
export class PlaceReservation {
  private isClosed = false;

  /** @param giveBack called once, with what is left */
  constructor(
    private leftCount: number,
    private readonly giveBack: (count: number) => void,
  ) {}

  /** Places left. */
  get count(): number {
    return this.leftCount;
  }

  /** A run takes one; it gives it back itself. @returns whether there was one */
  use(): boolean {
    if (this.leftCount === 0) return false;
    this.leftCount -= 1;
    return true;
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    const { leftCount } = this;
    this.leftCount = 0;
    this.giveBack(leftCount);
  }
}
