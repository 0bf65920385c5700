import { shownCommandLine } from '../command-line.js';
import type { NodeReport } from './taken-report.js';

/** What is shown: a section of a later Node is not until somebody has looked at it. */
const SECTIONS = ['javascriptHeap', 'resourceUsage', 'uvthreadResourceUsage', 'userLimits', 'sharedObjects'] as const;

/** Without `commandLine`, `networkInterfaces` and `filename`. */
const HEADER_FIELDS = [
  ...['reportVersion', 'event', 'trigger', 'dumpEventTime', 'dumpEventTimeStamp', 'processId', 'threadId', 'cwd'],
  ...['nodejsVersion', 'glibcVersionRuntime', 'glibcVersionCompiler', 'wordSize', 'arch', 'platform'],
  ...['componentVersions', 'release', 'osName', 'osRelease', 'osVersion', 'osMachine', 'cpus', 'host'],
];

/** Of a handle of libuv: no addresses of peers, no names of files. */
const HANDLE_FIELDS = [
  ...['type', 'is_active', 'is_referenced', 'address', 'repeat', 'firesInMsFromNow', 'expired', 'fd', 'pid'],
  ...['sendBufferSize', 'recvBufferSize', 'writeQueueSize', 'readable', 'writable', 'width', 'height'],
  ...['signum', 'signal', 'stream'],
];

/**
 * What of a report may leave the process: the heap, limits, handles and versions. Not the environment, arguments, addresses of
 * peers, and not the stack, which is that of whoever asks.
 */
export function redactedReport(report: NodeReport): NodeReport {
  const header = picked(report['header'], HEADER_FIELDS);
  const { commandLine } = (report['header'] ?? {}) as { commandLine?: string[] };
  return {
    header: { ...header, commandLine: shownCommandLine(commandLine ?? []) },
    ...picked(report, SECTIONS),
    libuv: listOf(report['libuv']).map((handle) => picked(handle, HANDLE_FIELDS)),
    workers: listOf(report['workers']).map((worker) => redactedReport(worker as NodeReport)),
  };
}

function picked(from: unknown, names: readonly string[]): Record<string, unknown> {
  const fields = (from ?? {}) as Record<string, unknown>;
  return Object.fromEntries(names.filter((name) => name in fields).map((name) => [name, fields[name]]));
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
