import type { Cluster, Redis } from 'ioredis';

/**
 * Members that open, close, block or change the state of the connection that everybody shares. Whoever injects the
 * client gets a type without them, and an error where the type was avoided.
 */
export const ownerOnlyMembers = [
  // opening and closing
  'quit',
  'disconnect',
  'duplicate',
  'connect',
  'end',
  'reset',
  'monitor',
  // taking over: after these the connection answers nobody else
  'subscribe',
  'psubscribe',
  'ssubscribe',
  'blpop',
  'brpop',
  'brpoplpush',
  'blmove',
  'blmpop',
  'bzpopmin',
  'bzpopmax',
  'bzmpop',
  'wait',
  'waitaof',
  // state of the connection that the next command of somebody else would run into
  'select',
  'auth',
  'hello',
  'watch',
  'unwatch',
  // ways around this list
  'sendCommand',
  'stream',
  'nodes',
  'removeAllListeners',
] as const;

export type OwnerOnlyMember = (typeof ownerOnlyMembers)[number];

/**
 * The one Redis client, as everybody but RedisModule sees it: every command, pipelines and transactions, nothing that
 * opens, closes or takes over a connection. At run time the same members throw.
 */
export type RedisClient = Omit<Redis, OwnerOnlyMember>;

/** What really stands behind it: a client of one server (or sentinel group), or of a cluster. */
export type RawRedisClient = Redis | Cluster;

/** Injection token of the one {@link RedisClient}. */
export const REDIS = Symbol('REDIS');
