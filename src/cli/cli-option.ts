/** One `--option` of a command. */
export interface CliOption<Value> {
  /** One phrase for the help. */
  summary: string;
  /** What stands for the value in the help; absent for a flag. */
  placeholder?: string;
  /** Turns the text into the value. @throws UsageError saying what was expected */
  read(text: string): Value;
}

/** `--name`, there or not. */
export function flag(summary: string): CliOption<boolean> {
  return { summary, read: () => true };
}

/** `--name TEXT`, as it is. */
export function textOption(placeholder: string, summary: string): CliOption<string> {
  return { summary, placeholder, read: (text) => text };
}

/** `--name VALUE` that a reader understands. */
export function valueOption<Value>(
  placeholder: string,
  summary: string,
  read: (text: string) => Value,
): CliOption<Value> {
  return { summary, placeholder, read };
}
