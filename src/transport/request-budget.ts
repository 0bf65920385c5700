import { CommandError } from '../contract/command-error.js';

/** What a command holds beside its payload: the call, its context and promises, its commands to Redis. */
const COMMAND_BYTES = 1_024;

/** One who takes from the budget: a connection. */
export interface BudgetHolder {
  /** Commands of it that are not answered yet. */
  inFlightCount: number;
  /** Heap that its requests hold. */
  inFlightBytes: number;
}

/**
 * Bounds what the requests under way hold, over all connections: by count and by bytes of heap.
 *
 * A connection that holds more than what is still free gets no more. So one that takes all it can get reaches half, two
 * reach a third each, and as much is always left for the next one: who sends without end keeps nobody else from being
 * served.
 */
export class RequestBudget {
  private countTaken = 0;
  private bytesTaken = 0;

  constructor(
    private readonly maxCount: number,
    private readonly maxBytes: number,
  ) {}

  /** Heap that requests hold now. */
  get takenBytes(): number {
    return this.bytesTaken;
  }

  /**
   * Takes room for one command.
   * @param payloadBytes what its payload holds
   * @returns the bytes to give back when nothing of the command is left
   * @throws CommandError RATE_LIMITED
   */
  take(holder: BudgetHolder, payloadBytes: number): number {
    const bytes = payloadBytes + COMMAND_BYTES;
    if (this.countTaken >= this.maxCount) throw limited(`${this.maxCount} commands are under way`, COUNT);
    if (holder.inFlightCount > this.maxCount - this.countTaken) {
      throw limited(`${holder.inFlightCount} commands of this connection are under way, as many as are left`, COUNT);
    }
    const bytesLeft = this.maxBytes - this.bytesTaken - bytes;
    if (bytesLeft < 0) throw limited(`the requests under way hold ${this.bytesTaken} bytes`, BYTES);
    if (holder.inFlightBytes > bytesLeft) {
      throw limited(`the requests of this connection hold ${holder.inFlightBytes} bytes, as much as is left`, BYTES);
    }
    this.countTaken++;
    this.bytesTaken += bytes;
    holder.inFlightCount++;
    holder.inFlightBytes += bytes;
    return bytes;
  }

  /** The command is answered: it is no longer in flight. */
  giveBackPlace(holder: BudgetHolder): void {
    this.countTaken--;
    holder.inFlightCount--;
  }

  /** Nothing holds the request any more. */
  giveBackBytes(holder: BudgetHolder, bytes: number): void {
    this.bytesTaken -= bytes;
    holder.inFlightBytes -= bytes;
  }
}

const COUNT = 'MAX_IN_FLIGHT_COMMANDS';
const BYTES = 'MAX_IN_FLIGHT_BYTES';

function limited(why: string, setting: string): CommandError {
  return new CommandError('RATE_LIMITED', `${why} (${setting})`);
}
