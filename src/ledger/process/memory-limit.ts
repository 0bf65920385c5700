/**
 * What `process.constrainedMemory()` says as a limit, or null: a cgroup without one reads as 0, undefined, 2⁶³ rounded to
 * pages (version 1) or 2⁶⁴, and one above what the machine has will never be met.
 */
export function memoryLimitBytes(constrained: number | undefined, machineTotalBytes: number): number | null {
  return constrained !== undefined && constrained > 0 && constrained <= machineTotalBytes ? constrained : null;
}
