/** How the recorder works. */
export interface RecorderOptions {
  /** How often a sample is taken, in ms. Default 10,000. */
  intervalMs?: number | undefined;
}

export const DEFAULT_INTERVAL_MS = 10_000;
