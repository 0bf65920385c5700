import { hostname } from 'node:os';
import type { ClusterOptions, RedisOptions } from 'ioredis';
import { readTlsMaterial } from '../config/settings-file.js';
import type { Settings } from '../config/settings.js';

/** Longest pause between two attempts to connect. */
const LONGEST_RETRY_PAUSE_MS = 2_000;
/** First TCP keep-alive probe on an idle connection: finds a peer that vanished without a word. */
const KEEP_ALIVE_MS = 10_000;
/** Between two looks at a server that loads its data. ioredis would believe what that is said to take, up to ten seconds. */
const LOADING_PAUSE_MS = 250;
/** How long ioredis waits for the other side to close before it destroys the socket. */
const DISCONNECT_TIMEOUT_MS = 200;

/** Pause before attempt number `attempt` (from 1): doubles up to 2 s, spread so that replicas do not come back at once. */
function retryPauseMs(attempt: number): number {
  const pause = Math.min(LONGEST_RETRY_PAUSE_MS, 50 * 2 ** Math.min(attempt, 10));
  return Math.round(pause * (0.5 + Math.random() / 2));
}

/** Name of this process's connections in CLIENT LIST. */
function connectionName(): string {
  return `commander:${hostname().replace(/[^\w.-]/g, '_')}:${process.pid}`;
}

/** A read-only server is dialled again at most this often: between two looks it serves reads. */
const READONLY_PAUSE_MS = 500;
const dialledAgainAt = new WeakMap<object, number>();

/**
 * After a failover the old master answers READONLY: connect again, to the new one. The command is not repeated: its caller may
 * have been told long ago that it failed, and a server that stays read-only would be sent it for ever.
 */
function reconnectOnError(this: object | undefined, error: Error): boolean {
  if (!error.message.startsWith('READONLY')) return false;
  // ioredis calls it on the options, which each connection has of its own. One answer of many in a batch is enough.
  const connection = this ?? READONLY_OF_ALL;
  const now = performance.now();
  if (now - (dialledAgainAt.get(connection) ?? -Infinity) < READONLY_PAUSE_MS) return false;
  dialledAgainAt.set(connection, now);
  return true;
}
const READONLY_OF_ALL = {};

async function tlsOptions(settings: Settings): Promise<RedisOptions['tls']> {
  const { ca, cert, key } = await readTlsMaterial(
    { ca: 'REDIS_TLS_CA_FILE', cert: 'REDIS_TLS_CERT_FILE', key: 'REDIS_TLS_KEY_FILE' },
    { ca: settings.redisTlsCaFile, cert: settings.redisTlsCertFile, key: settings.redisTlsKeyFile },
  );
  const wanted = settings.redisUrl.startsWith('rediss:') || ca !== undefined || cert !== undefined;
  return wanted ? { ca, cert, key } : undefined;
}

/** What every connection has in common, with each difference from ioredis' defaults explained. */
async function commonOptions(settings: Settings): Promise<RedisOptions> {
  return {
    // BullMQ requires it: a blocking command must survive any number of reconnects. Deadlines are RedisGate's.
    maxRetriesPerRequest: null,
    // No commandTimeout (BullMQ's blocking connection inherits it and would run no job), no keyPrefix (BullMQ refuses it).
    // A server that owes an answer this long is given up: without it a vanished host is noticed after 15 minutes.
    socketTimeout: settings.redisSilenceTimeoutMs,
    connectTimeout: settings.redisConnectTimeoutMs,
    maxLoadingRetryTime: LOADING_PAUSE_MS,
    keepAlive: KEEP_ALIVE_MS,
    connectionName: connectionName(),
    reconnectOnError,
    tls: await tlsOptions(settings),
    // Not in the published type, read by the connector.
    ...{ disconnectTimeout: DISCONNECT_TIMEOUT_MS },
  };
}

function hostAndPort(node: string): { host: string; port: number } {
  const colon = node.lastIndexOf(':');
  return { host: node.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(node.slice(colon + 1)) };
}

/** User, password and database in REDIS_URL; of a sentinel group or a cluster it names nothing else. */
function credentialsOf(settings: Settings): Pick<RedisOptions, 'username' | 'password' | 'db'> {
  const url = new URL(settings.redisUrl);
  return {
    username: decodeURIComponent(url.username) || undefined,
    password: decodeURIComponent(url.password) || undefined,
    db: /^\/\d+$/.test(url.pathname) ? Number(url.pathname.slice(1)) : 0,
  };
}

/** Options of the client of one server (REDIS_MODE=standalone). `url` goes to the constructor of its own. */
export async function standaloneOptions(settings: Settings): Promise<RedisOptions & { url: string }> {
  return { ...(await commonOptions(settings)), url: settings.redisUrl, retryStrategy: retryPauseMs };
}

/** Options of the client of the master that sentinels name (REDIS_MODE=sentinel). */
export async function sentinelOptions(settings: Settings): Promise<RedisOptions> {
  const common = await commonOptions(settings);
  return {
    ...common,
    ...credentialsOf(settings),
    sentinels: settings.redisNodes.map(hostAndPort),
    name: settings.redisSentinelName,
    sentinelPassword: settings.redisSentinelPassword,
    sentinelRetryStrategy: retryPauseMs,
    retryStrategy: retryPauseMs,
    enableTLSForSentinelMode: common.tls !== undefined,
    sentinelTLS: common.tls,
  };
}

/** Options of the client of a cluster (REDIS_MODE=cluster). All keys share one hash slot, so one node serves them. */
export async function clusterOptions(
  settings: Settings,
): Promise<ClusterOptions & { nodes: { host: string; port: number }[] }> {
  const common = await commonOptions(settings);
  const { username, password } = credentialsOf(settings);
  return {
    nodes: settings.redisNodes.map(hostAndPort),
    redisOptions: { ...common, username, password },
    clusterRetryStrategy: retryPauseMs,
    slotsRefreshTimeout: settings.redisConnectTimeoutMs,
    // A certificate names hosts, not the addresses that they resolve to.
    ...(common.tls === undefined ? {} : { dnsLookup: (address, done) => done(null, address) }),
  };
}
