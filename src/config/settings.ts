import { z } from 'zod';

/** One environment variable: how it is read, what it defaults to, and its line of documentation. */
interface Setting<Value> {
  env: string;
  schema: z.ZodType<Value, unknown>;
  default: Value;
  /** What a valid value looks like; part of the message when the start is refused. */
  expected: string;
  doc: string;
}

function setting<Value>(
  env: string,
  schema: z.ZodType<Value, unknown>,
  fallback: Value,
  expected: string,
  doc: string,
): Setting<Value> {
  return { env, schema, default: fallback, expected, doc };
}

/** A whole number written in decimal digits; '' and ' 1 ' and '1e3' are mistakes, not numbers. */
function wholeNumber(min: number, max: number): z.ZodType<number, unknown> {
  return z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number)
    .pipe(z.int().min(min).max(max));
}

function count(env: string, fallback: number, min: number, max: number, doc: string): Setting<number> {
  return setting(env, wholeNumber(min, max), fallback, `a whole number from ${min} to ${max}`, doc);
}

function durationMs(env: string, fallback: number, min: number, max: number, doc: string): Setting<number> {
  return setting(env, wholeNumber(min, max), fallback, `whole milliseconds from ${min} to ${max}`, doc);
}

const text = (max: number) => z.string().min(1).max(max);
const optionalText = (max: number): z.ZodType<string | undefined, unknown> => z.string().max(max).optional();
const flag: z.ZodType<boolean, unknown> = z.enum(['true', 'false']).transform((value) => value === 'true');
/** What a header can carry and nobody's clipboard adds to: no space, no end of line, nothing beyond ASCII. */
const headerToken: z.ZodType<string | undefined, unknown> = z
  .string()
  .regex(/^[\x21-\x7e]{1,512}$/)
  .optional();
const redisUrl = z.string().refine(isRedisUrl);

/**
 * Every setting of the service. Key = name in {@link Settings}.
 * The defaults of the limits on connections, frames, replies and runs are what a container of 192 MiB can hold when all
 * of them are reached at once; `k8s/README.md` has the sum, and a test adds it up again.
 */
export const settings = {
  tcpHost: setting(
    'TCP_HOST',
    text(253),
    '127.0.0.1',
    'a host name or address',
    'Address on which commands are served.',
  ),
  tcpPort: count('TCP_PORT', 7970, 0, 65_535, 'Port on which commands are served; 0 picks a free one.'),
  httpHost: setting(
    'HTTP_HOST',
    text(253),
    '127.0.0.1',
    'a host name or address',
    'Address of /diagnostics, /livez and /readyz.',
  ),
  httpPort: count('HTTP_PORT', 6060, 0, 65_535, 'Port of /diagnostics, /livez and /readyz; 0 picks a free one.'),
  redisUrl: setting(
    'REDIS_URL',
    redisUrl,
    'redis://127.0.0.1:6379',
    'redis://[user:password@]host[:port][/database] or rediss://…, with what is special in a password percent-encoded',
    'Redis to use; `npm start` sets it to a server of its own when it is unset.',
  ),
  redisMode: setting(
    'REDIS_MODE',
    z.enum(['standalone', 'sentinel', 'cluster']),
    'standalone',
    'standalone, sentinel or cluster',
    'How REDIS_NODES is used.',
  ),
  redisNodes: setting<string[]>(
    'REDIS_NODES',
    z
      .string()
      .regex(/^[^,\s]+:\d{1,5}(,[^,\s]+:\d{1,5})*$/)
      .transform((value) => value.split(',')),
    [],
    'host:port[,host:port…]',
    'Sentinels (REDIS_MODE=sentinel) or cluster nodes (REDIS_MODE=cluster) to start from.',
  ),
  redisSentinelName: setting(
    'REDIS_SENTINEL_NAME',
    text(128),
    'mymaster',
    'the name of the master group',
    'Master group that the sentinels watch.',
  ),
  redisSentinelPassword: setting(
    'REDIS_SENTINEL_PASSWORD',
    optionalText(512),
    undefined,
    'up to 512 characters',
    'Password of the sentinels, where they ask for one.',
  ),
  redisTlsCaFile: setting(
    'REDIS_TLS_CA_FILE',
    optionalText(4096),
    undefined,
    'the path of a PEM file',
    'CA for TLS to Redis, where the system does not know it.',
  ),
  redisTlsCertFile: setting(
    'REDIS_TLS_CERT_FILE',
    optionalText(4096),
    undefined,
    'the path of a PEM file',
    'Client certificate for TLS to Redis.',
  ),
  redisTlsKeyFile: setting(
    'REDIS_TLS_KEY_FILE',
    optionalText(4096),
    undefined,
    'the path of a PEM file',
    'Key of REDIS_TLS_CERT_FILE.',
  ),
  redisConnectTimeoutMs: durationMs(
    'REDIS_CONNECT_TIMEOUT_MS',
    5_000,
    100,
    60_000,
    'How long one attempt to connect to Redis may take.',
  ),
  redisSilenceTimeoutMs: durationMs(
    'REDIS_SILENCE_TIMEOUT_MS',
    30_000,
    15_000,
    600_000,
    'A Redis that owes an answer for this long is dialled again; longer than any blocking command.',
  ),
  redisKeyspace: setting(
    'REDIS_KEYSPACE',
    z.string().regex(/^[a-z][a-z0-9-]{0,31}$/),
    'commander',
    '1–32 of a–z, 0–9 and "-", the first a letter',
    'First part of every key, in braces: one hash slot of a cluster.',
  ),
  commanderToken: setting(
    'COMMANDER_TOKEN',
    optionalText(512),
    undefined,
    'up to 512 characters',
    'Shared secret that opens every command; unset, and no COMMANDER_TOKENS_FILE either: none is asked for.',
  ),
  commanderTokensFile: setting(
    'COMMANDER_TOKENS_FILE',
    optionalText(4096),
    undefined,
    'the path of a JSON file',
    'Further tokens, each for some namespaces and commands only; read again when the file changes.',
  ),
  agentToken: setting(
    'AGENT_TOKEN',
    optionalText(512),
    undefined,
    'up to 512 characters',
    'Secret that commander shows to agents; unset: COMMANDER_TOKEN, but none at all beside COMMANDER_TOKENS_FILE.',
  ),
  tcpTlsCertFile: setting(
    'TCP_TLS_CERT_FILE',
    optionalText(4096),
    undefined,
    'the path of a PEM file',
    'Certificate for commands over TLS; unset: plain TCP. Read again when it changes.',
  ),
  tcpTlsKeyFile: setting(
    'TCP_TLS_KEY_FILE',
    optionalText(4096),
    undefined,
    'the path of a PEM file',
    'Key of TCP_TLS_CERT_FILE.',
  ),
  tcpTlsClientCaFile: setting(
    'TCP_TLS_CLIENT_CA_FILE',
    optionalText(4096),
    undefined,
    'the path of a PEM file',
    'Only peers with a certificate of this CA are served (mutual TLS).',
  ),
  agentTls: setting(
    'AGENT_TLS',
    flag,
    false,
    'true or false',
    'Dials agents over TLS only; their certificate must name the host or the id of the agent.',
  ),
  agentTlsCaFile: setting(
    'AGENT_TLS_CA_FILE',
    optionalText(4096),
    undefined,
    'the path of a PEM file',
    'CA of the agents, where the system does not know it.',
  ),
  agentTlsCertFile: setting(
    'AGENT_TLS_CERT_FILE',
    optionalText(4096),
    undefined,
    'the path of a PEM file',
    'Certificate that commander shows to agents.',
  ),
  agentTlsKeyFile: setting(
    'AGENT_TLS_KEY_FILE',
    optionalText(4096),
    undefined,
    'the path of a PEM file',
    'Key of AGENT_TLS_CERT_FILE.',
  ),
  agentIdentity: setting(
    'AGENT_IDENTITY',
    z.enum(['open', 'certificate']),
    'open',
    'open or certificate',
    'With certificate an agent speaks only for ids that its certificate names; needs TCP_TLS_CLIENT_CA_FILE.',
  ),
  fileCheckEveryMs: durationMs(
    'FILE_CHECK_EVERY_MS',
    5_000,
    50,
    3_600_000,
    'How often files of certificates and tokens are looked at for a change.',
  ),
  diagnosticsToken: setting(
    'DIAGNOSTICS_TOKEN',
    headerToken,
    undefined,
    'up to 512 visible ASCII characters',
    'Bearer token for /diagnostics from other hosts; unset: loopback only.',
  ),
  diagnosticsTrustLoopback: setting(
    'DIAGNOSTICS_TRUST_LOOPBACK',
    flag,
    true,
    'true or false',
    'False asks for DIAGNOSTICS_TOKEN from this machine, too: where a proxy on it passes on requests of others.',
  ),
  insecureBind: setting(
    'INSECURE_BIND',
    flag,
    false,
    'true or false',
    'Allows to listen beyond loopback although nobody is asked who they are.',
  ),
  logLevel: setting(
    'LOG_LEVEL',
    z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']),
    'info',
    'fatal, error, warn, info, debug, trace or silent',
    'Lines below this level are not written.',
  ),
  shutdownTimeoutMs: durationMs(
    'SHUTDOWN_TIMEOUT_MS',
    15_000,
    500,
    600_000,
    'The process has exited this long after SIGTERM, whatever hangs.',
  ),
  drainTimeoutMs: durationMs(
    'DRAIN_TIMEOUT_MS',
    8_000,
    0,
    600_000,
    'How long commands and runs in flight may finish after SIGTERM; must be shorter than SHUTDOWN_TIMEOUT_MS.',
  ),
  commandTimeoutMs: durationMs(
    'COMMAND_TIMEOUT_MS',
    5_000,
    10,
    600_000,
    'Deadline of a command whose request names none.',
  ),
  maxConnections: count('MAX_CONNECTIONS', 80, 1, 100_000, 'TCP connections at once; the next one is closed at once.'),
  maxFrameBytes: count(
    'MAX_FRAME_BYTES',
    131_072,
    1_024,
    134_217_728,
    'Longest request; a longer one ends its connection.',
  ),
  maxSendBufferBytes: count(
    'MAX_SEND_BUFFER_BYTES',
    262_144,
    65_536,
    134_217_728,
    'Replies that may wait for a slow reader before its connection is closed.',
  ),
  maxJsonDepth: count('MAX_JSON_DEPTH', 64, 4, 1_000, 'Deepest nesting of a request.'),
  frameTimeoutMs: durationMs(
    'FRAME_TIMEOUT_MS',
    10_000,
    100,
    600_000,
    'A frame that is not complete after this ends its connection.',
  ),
  idleTimeoutMs: durationMs(
    'IDLE_TIMEOUT_MS',
    600_000,
    1_000,
    86_400_000,
    'A connection without a request for this long is closed.',
  ),
  maxInFlightCommands: count(
    'MAX_IN_FLIGHT_COMMANDS',
    2_000,
    1,
    1_000_000,
    'Commands under way at once; the next one is answered RATE_LIMITED. One connection may have half of them.',
  ),
  maxInFlightBytes: count(
    'MAX_IN_FLIGHT_BYTES',
    12_582_912,
    65_536,
    17_179_869_184,
    'Heap that the requests under way may hold, by estimate; the next one is answered RATE_LIMITED.',
  ),
  maxRequestsPerSecond: count(
    'MAX_REQUESTS_PER_SECOND',
    5_000,
    0,
    10_000_000,
    'Requests served a second of one connection; the rest is read later. 0: no limit.',
  ),
  maxConcurrentRuns: count('MAX_CONCURRENT_RUNS', 50, 1, 10_000, 'Runs that this replica dispatches at once.'),
  runLockMs: durationMs(
    'RUN_LOCK_MS',
    5_000,
    1_000,
    600_000,
    'A run whose replica is silent for this long is taken over by another.',
  ),
  noAgentWaitMs: durationMs(
    'NO_AGENT_WAIT_MS',
    60_000,
    0,
    86_400_000,
    'How long a run waits for an agent before it fails with NO_AGENT; an attempt that agents refuse, or that reaches none, is offered again for about as long.',
  ),
  idempotencyWindowMs: durationMs(
    'IDEMPOTENCY_WINDOW_MS',
    86_400_000,
    1_000,
    2_592_000_000,
    'How long an idempotency key is remembered.',
  ),
  runRetentionMs: durationMs(
    'RUN_RETENTION_MS',
    604_800_000,
    1_000,
    31_622_400_000,
    'Ended runs are forgotten after this.',
  ),
  runsKeptPerSchedule: count('RUNS_KEPT_PER_SCHEDULE', 200, 1, 100_000, 'Ended runs kept of one schedule.'),
  runsKeptPerNamespace: count('RUNS_KEPT_PER_NAMESPACE', 20_000, 1, 10_000_000, 'Ended runs kept of one namespace.'),
  maxResultBytes: count(
    'MAX_RESULT_BYTES',
    98_304,
    1_024,
    134_217_728,
    'Longest result of a run, as JSON; with MAX_FRAME_BYTES it must fit into MAX_SEND_BUFFER_BYTES.',
  ),
  agentLeaseMs: durationMs(
    'AGENT_LEASE_MS',
    10_000,
    500,
    600_000,
    'An agent without a heartbeat for this long is down.',
  ),
  agentHeartbeatEveryMs: durationMs(
    'AGENT_HEARTBEAT_EVERY_MS',
    3_000,
    100,
    300_000,
    'How often agents are told to send a heartbeat; must be shorter than AGENT_LEASE_MS.',
  ),
  agentConnectTimeoutMs: durationMs(
    'AGENT_CONNECT_TIMEOUT_MS',
    2_000,
    50,
    60_000,
    'How long dialling an agent may take.',
  ),
  maxAgents: count(
    'MAX_AGENTS',
    500,
    1,
    100_000,
    'Agents of one namespace; the next registration is answered RATE_LIMITED.',
  ),
  maxOpenRuns: count(
    'MAX_OPEN_RUNS',
    100_000,
    1,
    10_000_000,
    'Schedules and runs that have not ended yet, together; the next submit is answered RATE_LIMITED.',
  ),
  maxSchedules: count(
    'MAX_SCHEDULES',
    10_000,
    1,
    1_000_000,
    'Schedules of one namespace; the next new one is answered RATE_LIMITED.',
  ),
  lateAfterMs: durationMs(
    'LATE_AFTER_MS',
    1_000,
    1,
    86_400_000,
    'A tick that is claimed later than this after it was due is told as late.',
  ),
  ticksKeptPerSchedule: count(
    'TICKS_KEPT_PER_SCHEDULE',
    500,
    10,
    100_000,
    'Entries in the tick ledger of a schedule; ticks in a row that ended alike share one.',
  ),
  reconcileEveryMs: durationMs(
    'RECONCILE_EVERY_MS',
    30_000,
    500,
    86_400_000,
    'How often the leading replica compares the records with what is due.',
  ),
  misfireThresholdMs: durationMs(
    'MISFIRE_THRESHOLD_MS',
    30_000,
    0,
    86_400_000,
    'A tick that is late by no more is fired as usual; beyond it the misfire policy decides.',
  ),
  resultRetentionMs: durationMs(
    'RESULT_RETENTION_MS',
    7_776_000_000,
    1_000,
    31_622_400_000,
    'A result that was not renewed for this long is forgotten.',
  ),
  tickPollEveryMs: durationMs(
    'TICK_POLL_EVERY_MS',
    1_000,
    50,
    60_000,
    'How often a replica looks for due times that another one left behind.',
  ),
  recorderIntervalMs: durationMs(
    'RECORDER_INTERVAL_MS',
    10_000,
    100,
    600_000,
    'How often the recorder takes a sample of this process.',
  ),
  recorderRedisSamples: count(
    'RECORDER_REDIS_SAMPLES',
    1_080,
    0,
    100_000,
    'Samples of the recorder that Redis keeps of each replica, 2 KiB each, for when its disk goes with it; 0: none.',
  ),
  heapSampling: setting(
    'HEAP_SAMPLING',
    z.enum(['demand', 'always']),
    'demand',
    'demand or always',
    'When heap memory is sampled by function: while somebody asks or a leak is looked for, or from the start.',
  ),
  evidenceDir: setting(
    'EVIDENCE_DIR',
    optionalText(4096),
    undefined,
    'the path of a directory on a local disk',
    'Where samples and evidence outlive the process; unset: nowhere, but `npm start` sets it to .data/evidence.',
  ),
  evidenceMaxBytes: count(
    'EVIDENCE_MAX_BYTES',
    16_777_216,
    1_048_576,
    1_073_741_824,
    'What all files in EVIDENCE_DIR together may take.',
  ),
  instanceName: setting(
    'INSTANCE_NAME',
    z
      .string()
      .regex(/^[A-Za-z0-9._-]{1,64}$/)
      .optional(),
    undefined,
    '1–64 of letters, digits, ".", "_" and "-"',
    'Under what name the lives of this replica follow each other; unset: the name of the host.',
  ),
  memorySoftLimitRatio: setting(
    'MEMORY_SOFT_LIMIT_RATIO',
    z
      .string()
      .regex(/^[01](\.\d{1,4})?$/)
      .transform(Number)
      .pipe(z.number().min(0.3).max(1)),
    0.85,
    'a number from 0.3 to 1, at most four decimals',
    "Share of the memory limit, or of V8's heap limit, from which on this replica is not ready.",
  ),
} as const;

/** The service's settings, frozen. */
export type Settings = { readonly [Key in keyof typeof settings]: (typeof settings)[Key]['default'] };

/** Thrown when the environment holds a value that cannot be used. The message has one line for each of them. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

/**
 * Reads the settings from an environment. An empty variable counts as unset.
 * @throws SettingsError naming variable, value (never one that may hold a secret) and what is expected.
 */
export function readSettings(environment: Record<string, string | undefined>): Settings {
  const values: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const [key, { env, schema, default: fallback, expected }] of Object.entries<Setting<unknown>>(settings)) {
    const raw = environment[env];
    if (raw === undefined || raw === '') {
      values[key] = fallback;
      continue;
    }
    const parsed = schema.safeParse(raw);
    if (parsed.success) values[key] = parsed.data;
    else problems.push(`${env}=${shown(env, raw)}: expected ${expected}`);
  }
  if (problems.length === 0) problems.push(...contradictions(values as Settings));
  if (problems.length > 0) throw new SettingsError(problems.join('\n'));
  return Object.freeze(values) as Settings;
}

/** The value for a message that ends up in a log; of what may hold a secret nothing. */
function shown(env: string, raw: string): string {
  // A URL that is wrong may hold its password anywhere.
  if (/_(TOKEN|PASSWORD)$/.test(env) || env === 'REDIS_URL') return '<hidden>';
  return JSON.stringify(raw.slice(0, 200));
}

/**
 * Whether a text is the address of a Redis, and nothing of it would be taken for something else: a `/`, `#`, `?` or `@` in a password that
 * is not percent-encoded moves the rest of it to where it is not kept secret.
 */
function isRedisUrl(text: string): boolean {
  if (!/^rediss?:\/\/[^\s@]*(@[^\s@]*)?$/.test(text)) return false;
  try {
    const { hostname, username, password, pathname, search, hash } = new URL(text);
    decodeURIComponent(username);
    decodeURIComponent(password);
    return hostname !== '' && /^(\/\d*)?$/.test(pathname) && !search.includes('@') && hash === '';
  } catch {
    return false;
  }
}

/** One line for each two settings that cannot be meant together; none when all can. */
function contradictions(values: Settings): string[] {
  const found: string[] = [];
  if (values.drainTimeoutMs >= values.shutdownTimeoutMs) {
    found.push(
      `DRAIN_TIMEOUT_MS=${values.drainTimeoutMs}: expected less than SHUTDOWN_TIMEOUT_MS (${values.shutdownTimeoutMs})`,
    );
  }
  if (values.agentHeartbeatEveryMs >= values.agentLeaseMs) {
    found.push(
      `AGENT_HEARTBEAT_EVERY_MS=${values.agentHeartbeatEveryMs}: expected less than AGENT_LEASE_MS (${values.agentLeaseMs})`,
    );
  }
  if (values.redisMode !== 'standalone' && values.redisNodes.length === 0) {
    found.push(`REDIS_NODES="": expected host:port[,host:port…] when REDIS_MODE is ${values.redisMode}`);
  }
  if (values.redisMode === 'standalone' && values.redisNodes.length > 0) {
    found.push('REDIS_NODES: expected REDIS_MODE=sentinel or cluster beside it');
  }
  if ((values.redisTlsCertFile === undefined) !== (values.redisTlsKeyFile === undefined)) {
    found.push('REDIS_TLS_CERT_FILE, REDIS_TLS_KEY_FILE: expected both or neither');
  }
  const { commanderToken, commanderTokensFile, tcpTlsCertFile, tcpTlsKeyFile, tcpTlsClientCaFile } = values;
  const asksWho = [commanderToken, commanderTokensFile, tcpTlsClientCaFile].some((value) => value !== undefined);
  if (!isLoopback(values.tcpHost) && !asksWho && !values.insecureBind) {
    found.push(
      `TCP_HOST=${JSON.stringify(values.tcpHost)}: expected a loopback address, or COMMANDER_TOKEN, COMMANDER_TOKENS_FILE or TCP_TLS_CLIENT_CA_FILE set, or INSECURE_BIND=true`,
    );
  }
  if ((tcpTlsCertFile === undefined) !== (tcpTlsKeyFile === undefined)) {
    found.push('TCP_TLS_CERT_FILE, TCP_TLS_KEY_FILE: expected both or neither');
  }
  if (tcpTlsClientCaFile !== undefined && tcpTlsCertFile === undefined) {
    found.push('TCP_TLS_CLIENT_CA_FILE: expected TCP_TLS_CERT_FILE beside it');
  }
  if ((values.agentTlsCertFile === undefined) !== (values.agentTlsKeyFile === undefined)) {
    found.push('AGENT_TLS_CERT_FILE, AGENT_TLS_KEY_FILE: expected both or neither');
  }
  const agentTlsFiles = [values.agentTlsCaFile, values.agentTlsCertFile, values.agentTlsKeyFile];
  if (!values.agentTls && agentTlsFiles.some((file) => file !== undefined)) {
    found.push('AGENT_TLS_CA_FILE, AGENT_TLS_CERT_FILE, AGENT_TLS_KEY_FILE: expected AGENT_TLS=true beside them');
  }
  if (values.agentIdentity === 'certificate' && tcpTlsClientCaFile === undefined) {
    found.push('AGENT_IDENTITY=certificate: expected TCP_TLS_CLIENT_CA_FILE beside it');
  }
  if (!values.diagnosticsTrustLoopback && values.diagnosticsToken === undefined) {
    found.push('DIAGNOSTICS_TRUST_LOOPBACK=false: expected DIAGNOSTICS_TOKEN set');
  }
  if (!isLoopback(values.httpHost) && values.diagnosticsToken === undefined && !values.insecureBind) {
    found.push(
      `HTTP_HOST=${JSON.stringify(values.httpHost)}: expected a loopback address, or DIAGNOSTICS_TOKEN set, or INSECURE_BIND=true`,
    );
  }
  // A run is told with the job that it was asked for and with its result: stored, it must fit into one reply.
  if (values.maxFrameBytes + values.maxResultBytes > values.maxSendBufferBytes) {
    found.push(
      `MAX_SEND_BUFFER_BYTES=${values.maxSendBufferBytes}: expected at least MAX_FRAME_BYTES + MAX_RESULT_BYTES (${values.maxFrameBytes + values.maxResultBytes})`,
    );
  }
  return found;
}

/** Whether a host to listen on can be reached from this machine only. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}
