/** What Node calls a diagnostic report, before anything is taken out. */
export type NodeReport = Record<string, unknown>;

/** Not in the types of Node 20. */
interface ReportSettings {
  excludeNetwork: boolean;
  /** Not there before Node 22. */
  excludeEnv?: boolean;
  getReport(): NodeReport;
}

/**
 * Node's own report of this process and its workers, without asking anybody for the names of addresses (that took 10 to 35 s).
 * Flags of the application are left as they were.
 */
export function takenReport(): NodeReport {
  const report = process.report as unknown as ReportSettings;
  const { excludeNetwork, excludeEnv } = report;
  try {
    report.excludeNetwork = true;
    // Where it is not there, the redaction takes the environment out.
    if (excludeEnv !== undefined) report.excludeEnv = true;
    return report.getReport();
  } finally {
    report.excludeNetwork = excludeNetwork;
    if (excludeEnv !== undefined) report.excludeEnv = excludeEnv;
  }
}
