/** More than a process can sensibly have of recorders; the oldest gives way. */
const MAX_MARKS = 16;

const marks = new Set<(exitCode: number) => void>();

function onExit(exitCode: number): void {
  for (const mark of marks) mark(exitCode);
}

/**
 * Calls `mark` when Node ends by itself: at the end of the event loop, by process.exit, by an uncaught error; not by a signal.
 * One listener, however many ask.
 * @returns takes it away again
 */
export function onProcessExit(mark: (exitCode: number) => void): () => void {
  if (marks.size === 0) process.on('exit', onExit);
  if (marks.size === MAX_MARKS) marks.delete(marks.values().next().value!);
  marks.add(mark);
  return () => {
    marks.delete(mark);
    if (marks.size === 0) process.off('exit', onExit);
  };
}
