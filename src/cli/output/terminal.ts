/** What the text is written for. */
export interface Terminal {
  /** Columns of the window; undefined where nobody looks at one: then nothing is cut. */
  readonly widthColumns?: number;
  readonly hasColour: boolean;
  /** Relative times count from here, ms since the epoch. */
  readonly now: number;
  /** Lists show instants in UTC beside the relative ones. */
  readonly showsUtc: boolean;
}

/** Tells what a stream is written for; `NO_COLOR` (anything but empty) and `TERM=dumb` take the colours away. */
export function terminalOf(
  stream: { isTTY?: boolean; columns?: number },
  env: Readonly<Record<string, string | undefined>>,
  showsUtc: boolean,
): Terminal {
  const isTty = stream.isTTY === true;
  return {
    // A terminal that does not know its size says 0.
    widthColumns: isTty && stream.columns ? stream.columns : undefined,
    hasColour: isTty && !env.NO_COLOR && env.TERM !== 'dumb',
    now: Date.now(),
    showsUtc,
  };
}
