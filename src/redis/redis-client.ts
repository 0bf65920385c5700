import type { Cluster, Redis } from 'ioredis';

/** Members that open or close connections; whoever shares the client must not reach them. */
export type OwnerOnlyMember = 'quit' | 'disconnect' | 'duplicate' | 'connect' | 'end' | 'monitor' | 'subscribe' | 'psubscribe' | 'ssubscribe';

/**
 * The one Redis client, as everybody but RedisModule sees it: every command, nothing that opens, closes or takes over a
 * connection. At run time the same members throw.
 */
export type RedisClient = Omit<Redis, OwnerOnlyMember>;

/** What really stands behind it: a client of one server (or sentinel group), or of a cluster. */
export type RawRedisClient = Redis | Cluster;

/** Injection token of the one {@link RedisClient}. */
export const REDIS = Symbol('REDIS');
