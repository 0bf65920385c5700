import { ownerOnlyMembers, type RawRedisClient, type RedisClient } from './redis-client.js';

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;

interface Pipeline {
  addBatch(commands: unknown[]): unknown;
  exec: AnyFunction;
}

const ownerOnly = new Set<string>(ownerOnlyMembers);

function refusal(member: string): Error {
  return new Error(
    `RedisModule owns this connection: ${member}() would open, close or take it over for everybody who shares it`,
  );
}

/** The member that a call by name reaches: `call('QUIT')` and `quitBuffer()` are `quit()`. */
function commandName(member: string): string {
  return member.endsWith('Buffer') ? member.slice(0, -'Buffer'.length) : member;
}

function isOwnerOnly(member: string): boolean {
  return ownerOnly.has(member) || ownerOnly.has(commandName(member));
}

function refuseOwnerOnlyCall(name: unknown): void {
  const command = Array.isArray(name) ? (name as unknown[])[0] : name;
  const member = String(command).toLowerCase();
  if (ownerOnly.has(member)) throw refusal(member);
}

/** Refuses what would be sent now by something made earlier (a pipeline, a transaction). */
type BeforeSend = () => void;

/** Between a pipeline and its class, so that a pipeline cannot do what its client may not. */
function guardedPipelinePrototype(prototype: Record<string, AnyFunction>, beforeSend: BeforeSend | undefined): object {
  const guarded = Object.create(prototype) as Record<string, AnyFunction>;
  for (const member of ownerOnlyMembers) {
    // sendCommand is how a pipeline collects its own commands.
    if (member === 'sendCommand') continue;
    for (const name of [member, `${member}Buffer`]) {
      if (!(name in prototype)) continue;
      guarded[name] = () => {
        throw refusal(member);
      };
    }
  }
  for (const name of ['call', 'callBuffer']) {
    guarded[name] = function (...args) {
      refuseOwnerOnlyCall(args[0]);
      return prototype[name].apply(this, args);
    };
  }
  if (beforeSend !== undefined) {
    guarded['exec'] = function (...args) {
      beforeSend();
      return prototype['exec'].apply(this, args);
    };
  }
  return guarded;
}

/**
 * Wraps the one client so that nobody who shares it can close it, duplicate it or take it over: those members throw
 * when they are called, on the client and in its pipelines. Everything else runs on the raw client.
 * @param beforeSend called before a command is handed to the client; may throw to refuse it
 */
export function guardRedisClient(raw: RawRedisClient, beforeSend?: BeforeSend): RedisClient {
  // One bound function per member, made once: a second access costs two lookups.
  const members = new Map<PropertyKey, { source: AnyFunction; bound: AnyFunction }>();
  const pipelinePrototypes = new WeakMap<object, object>();

  const guardedPipeline = (pipeline: Pipeline): Pipeline => {
    const prototype = Object.getPrototypeOf(pipeline) as Record<string, AnyFunction>;
    let guarded = pipelinePrototypes.get(prototype);
    if (guarded === undefined) {
      guarded = guardedPipelinePrototype(prototype, beforeSend);
      pipelinePrototypes.set(prototype, guarded);
    }
    if (beforeSend !== undefined && Object.hasOwn(pipeline, 'exec')) {
      // A transaction has an exec of its own.
      const { exec } = pipeline;
      pipeline.exec = function (...args) {
        beforeSend();
        return exec.apply(this, args);
      };
    }
    return Object.setPrototypeOf(pipeline, guarded) as Pipeline;
  };

  const bind = (name: string, source: AnyFunction): AnyFunction => {
    if (isOwnerOnly(name)) {
      return () => {
        throw refusal(name);
      };
    }
    switch (name) {
      case 'pipeline':
      case 'multi':
        return (...args) => {
          const [first, second] = args as ({ pipeline?: unknown } | undefined)[];
          // MULTI outside a pipeline would swallow the commands of everybody else until its EXEC.
          if (first?.pipeline === false || second?.pipeline === false) throw refusal('multi({ pipeline: false })');
          const pipeline = guardedPipeline(source.apply(raw, []) as Pipeline);
          return Array.isArray(first) ? pipeline.addBatch(first) : pipeline;
        };
      case 'call':
      case 'callBuffer':
        return (...args) => {
          refuseOwnerOnlyCall(args[0]);
          beforeSend?.();
          return source.apply(raw, args);
        };
      default:
        return (...args) => {
          beforeSend?.();
          const result = source.apply(raw, args);
          // on(), once(), off() … return the emitter itself.
          return result === raw ? guarded : result;
        };
    }
  };

  const guarded: RedisClient = new Proxy(raw, {
    get(target, member) {
      const value: unknown = Reflect.get(target, member, target);
      if (typeof value !== 'function') {
        if (typeof member === 'string' && ownerOnly.has(member) && value !== undefined) throw refusal(member);
        return value;
      }
      const known = members.get(member);
      if (known !== undefined && known.source === value) return known.bound;
      const source = value as AnyFunction;
      // The class stays what it is; BullMQ and ioredis read names and statics of it.
      if (member === 'constructor') return source;
      const bound = bind(String(member), source);
      members.set(member, { source, bound });
      return bound;
    },
    set(_target, member) {
      throw refusal(`setting ${String(member)}`);
    },
    deleteProperty(_target, member) {
      throw refusal(`deleting ${String(member)}`);
    },
    defineProperty(_target, member) {
      throw refusal(`defining ${String(member)}`);
    },
    setPrototypeOf() {
      throw refusal('setPrototypeOf');
    },
  }) as unknown as RedisClient;
  return guarded;
}
