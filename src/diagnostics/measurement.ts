/**
 * One section of the page: a value read from this process. `read` returns at once and opens nothing; what has to run in
 * between (an observer, a histogram) is started and stopped by the summary and never keeps the process alive.
 */
export interface Measurement<T = unknown> {
  /** Key of the section. */
  readonly name: string;
  /** The section as it stands now. A throw is reported in its place and harms no other section. */
  read(): T;
  start?(): void;
  /** Gives back what `start` took; may be called without it. */
  stop?(): void;
}
