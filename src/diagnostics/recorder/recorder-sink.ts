/** Somewhere else that samples go to, besides memory and file. */
export interface RecorderSink {
  /** Takes one record, as JSON on one line. Returns at once; what cannot be taken is dropped. */
  write(json: string): void;
}
