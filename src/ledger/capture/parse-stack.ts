/** A frame as `error.stack` prints it. */
export interface TextFrame {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly functionName: string | null;
}

/** Frames of a stack that exists as text only (a warning of Node), innermost first. What is not understood is left out. */
export function parseStack(stack: string): TextFrame[] {
  const frames: TextFrame[] = [];
  for (const line of stack.split('\n')) {
    const match = /^\s*at (?:(.*?) \()?((?:file:\/\/|node:|[A-Za-z]:[\\/]|\/).*?):(\d+):(\d+)\)?$/.exec(line);
    if (match) {
      frames.push({ functionName: match[1] ?? null, file: match[2], line: Number(match[3]), column: Number(match[4]) });
    }
  }
  return frames;
}
