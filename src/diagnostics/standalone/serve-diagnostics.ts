import { once } from 'node:events';
import { lookup } from 'node:dns/promises';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, isIP } from 'node:net';
import { uncounted } from '../../ledger/uncounted.js';
import type { DiagnosticsLog } from '../diagnostics-log.js';
import type { DiagnosticsSource } from '../diagnostics-source.js';
import { Diagnostics } from '../diagnostics.js';
import type { HeapSamplingMode } from '../heap/heap-lease.js';
import { ARRIVAL_TIMES, MAX_HTTP_CONNECTIONS } from '../http/http-bounds.js';
import { isLoopbackAddress } from '../http/loopback.js';
import { WideBindError } from '../http/wide-bind.error.js';
import type { RecorderOptions } from '../recorder/recorder.options.js';

/** What an answer under way may take before its connection is cut, in ms. */
const CLOSE_DEADLINE_MS = 2_000;

/** Far below Node's defaults: nobody asks much of this server, and somebody else's process must not pay for it. */
const LIMITS = {
  maxHeaderSize: 8_192,
  ...ARRIVAL_TIMES,
  keepAliveTimeout: 5_000,
};

/** What `serveDiagnostics` is called with. */
export interface ServeDiagnosticsOptions {
  /** 0 takes a free one. */
  port: number;
  /** Name or address to listen on. Default 127.0.0.1. */
  host?: string | undefined;
  /** Bearer token that opens the page to other hosts. Unset or empty: requests from this machine only. */
  token?: string | undefined;
  /** False asks for the token from this machine, too. Needs a token. Default true. */
  trustLoopback?: boolean | undefined;
  /** Allows to listen beyond loopback without a token; other hosts are refused even then. Default false. */
  insecure?: boolean;
  /** Sections of the application. */
  sources?: readonly DiagnosticsSource[];
  /** How the recorder works, and where it keeps what it wrote. */
  recorder?: RecorderOptions;
  /** `always` samples heap memory by function from the start on. Default: while somebody asks. */
  heapSampling?: HeapSamplingMode | undefined;
  /** False serves the metrics at `/diagnostics/metrics` only. Default true. */
  metrics?: boolean | undefined;
  /** Default: lines on standard error. */
  log?: DiagnosticsLog;
}

/** Diagnostics that are served. */
export interface ServedDiagnostics {
  readonly host: string;
  readonly port: number;
  /** Gives back port, sockets and timers, within two seconds. May be called more than once. Never rejects. */
  close(): Promise<void>;
}

/**
 * Serves the diagnostics of this process, without Nest. Its server, sockets and timers are not counted as the
 * application's and never keep the process alive.
 * @throws WideBindError (code INSECURE_BIND) when it would listen beyond loopback without a token
 * @throws Error when `trustLoopback` is false without a token
 * @throws Error of Node when the name is not known (ENOTFOUND) or the port cannot be had (EADDRINUSE, EACCES, …)
 */
export async function serveDiagnostics({
  port,
  host = '127.0.0.1',
  token,
  trustLoopback,
  insecure = false,
  sources = [],
  recorder,
  heapSampling,
  metrics,
  log = stderrLog,
}: ServeDiagnosticsOptions): Promise<ServedDiagnostics> {
  // What was checked is what is bound: a name that is looked up again may lead elsewhere.
  const address = isIP(host) === 0 ? (await lookup(host)).address : host;
  if (!isLoopbackAddress(address) && !token && !insecure) throw new WideBindError(address);

  const diagnostics = new Diagnostics({ token, trustLoopback, sources, recorder, heapSampling, metrics, log });
  const server = uncounted.exclude(
    createServer(LIMITS, (request, response) => void diagnostics.handleAll(request, response)),
  );
  server.maxConnections = MAX_HTTP_CONNECTIONS;
  server.on('connection', (socket) => socket.unref());
  server.unref();
  server.listen(port, address);
  await once(server, 'listening');
  diagnostics.start();

  let closed: Promise<void> | undefined;
  const bound = server.address() as AddressInfo;
  return { host: bound.address, port: bound.port, close: () => (closed ??= close(server, diagnostics)) };
}

async function close(server: Server, diagnostics: Diagnostics): Promise<void> {
  const { setTimeout, clearTimeout } = uncounted.timers;
  diagnostics.endLongAnswers();
  await new Promise<void>((resolve) => {
    const deadline = setTimeout(() => server.closeAllConnections(), CLOSE_DEADLINE_MS);
    server.close(() => {
      clearTimeout(deadline);
      resolve();
    });
    server.closeIdleConnections();
  });
  await diagnostics.stop();
}

const stderrLog: DiagnosticsLog = {
  info: (message) => void process.stderr.write(`mu-commander: ${message}\n`),
  warn: (message) => void process.stderr.write(`mu-commander: ${message}\n`),
};
