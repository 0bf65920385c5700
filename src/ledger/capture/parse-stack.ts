/** A frame as `error.stack` prints it. */
export interface TextFrame {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly functionName: string | null;
}

const FRAME = /^\s*at (?:async (?=\S+$))?(?:(.*?) \()?((?:file:\/\/|node:|[A-Za-z]:[\\/]|\/).*?):(\d+):(\d+)\)?$/;

/** Frames of a stack that exists as text only (a warning of Node), innermost first. What is not understood is left out. */
export function parseStack(stack: string): TextFrame[] {
  return stack
    .split('\n')
    .map(parseFrame)
    .filter((frame) => frame !== null);
}

/** One line of a stack; null when it names no place. */
export function parseFrame(line: string): TextFrame | null {
  const match = FRAME.exec(line);
  return match && { functionName: match[1] ?? null, file: match[2], line: Number(match[3]), column: Number(match[4]) };
}
