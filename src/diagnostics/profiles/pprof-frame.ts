/** A call on a stack. */
export interface PprofFrame {
  /** Its name; null when it has none. */
  readonly function: string | null;
  readonly file: string;
  /** 1-based, 0 when there is none. */
  readonly line: number;
}

/** As pprof shows it. */
export function nameOf({ function: name, file, line }: PprofFrame): string {
  return name ?? unnamed(file, line);
}

/** Without a name it would be one with every other of its kind. */
export function unnamed(file: string, line: number): string {
  return `(anonymous ${file}:${line})`;
}
