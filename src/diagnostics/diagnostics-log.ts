/** Where the diagnostics write a line: Nest's logger, or standard error in a process without Nest. */
export interface DiagnosticsLog {
  info(message: string): void;
  warn(message: string): void;
}
