/**
 * Enough for the warning (from the eleventh on), few enough to be exact: of one kind 20 a second are captured, and two of the plants are of one.
 */
const LISTENERS = 18;

/** One resource planted at one marked line, as it reads in every module format. */
export interface Planted {
  /** Unique; marks the line as `// plant:<id>`. */
  readonly id: string;
  /** Kind the ledger must report at that line. */
  readonly kind: string;
  readonly count: number;
  /** Expression made `count` times at the marked line; what it evaluates to is kept. */
  readonly make: string;
  /** Statement that ends `kept` (one of them), awaited. */
  readonly end: string;
  /** Statements before, in the same function. */
  readonly before?: string;
  /** Statements after, once. */
  readonly after?: string;
  /** A kind adopted by the same line, with its count. */
  readonly also?: { readonly kind: string; readonly via: string; readonly count: number };
  /** Estimated by bytes: at least so many must be reported. */
  readonly atLeastBytes?: number;
}

/** Plants that share a process. */
export interface Family {
  readonly name: string;
  readonly imports: readonly (readonly [binding: string, specifier: string])[];
  readonly plants: readonly Planted[];
}

const ignoringErrors = (expression: string): string => `quiet(${expression})`;

const builtIns: Family = {
  name: 'built-ins',
  imports: [
    ['net', 'node:net'],
    ['tls', 'node:tls'],
    ['http', 'node:http'],
    ['https', 'node:https'],
    ['http2', 'node:http2'],
    ['dgram', 'node:dgram'],
    ['fs', 'node:fs'],
    ['timersPromises', 'node:timers/promises'],
    ['util', 'node:util'],
    ['{ EventEmitter, once }', 'node:events'],
    ['{ spawn, execFile, fork }', 'node:child_process'],
    ['{ Worker }', 'node:worker_threads'],
    ['{ setTimeout as imported }', 'node:timers'],
  ],
  plants: [
    // First: each is many of one kind at once, and a ledger that was busy takes fewer stacks.
    {
      id: 'EventEmitter',
      kind: 'listener',
      count: LISTENERS,
      before: 'const emitter = new EventEmitter();',
      make: "await spaced(() => emitter.on('tick', () => {}))",
      end: "kept.removeAllListeners('tick')",
    },
    {
      id: 'AbortSignal',
      kind: 'listener.target',
      count: LISTENERS,
      before: 'const { signal } = new AbortController();',
      make: "await spaced(() => listening((listener) => signal.addEventListener('abort', listener), signal))",
      end: "kept.signal.removeEventListener('abort', kept.listener)",
    },
    {
      id: 'EventTarget',
      kind: 'listener.target',
      count: LISTENERS,
      before: 'const target = new EventTarget();',
      make: "await spaced(() => listening((listener) => target.addEventListener('tick', listener), target))",
      end: "kept.signal.removeEventListener('tick', kept.listener)",
    },
    {
      id: 'net.connect',
      kind: 'socket.client',
      count: 3,
      make: ignoringErrors('net.connect(MUTE)'),
      end: 'kept.destroy()',
    },
    {
      id: 'new Socket',
      kind: 'socket.client',
      count: 3,
      make: ignoringErrors("new net.Socket().connect(MUTE, '127.0.0.1')"),
      end: 'kept.destroy()',
    },
    {
      id: 'tls.connect',
      kind: 'socket.tls',
      count: 3,
      make: ignoringErrors('tls.connect({ port: MUTE, rejectUnauthorized: false })'),
      end: 'kept.destroy()',
    },
    {
      id: 'http2.connect',
      kind: 'socket.client',
      count: 2,
      make: ignoringErrors('http2.connect(`http://127.0.0.1:${MUTE}`)'),
      end: 'kept.destroy()',
    },
    { id: 'unix', kind: 'socket.unix', count: 3, make: ignoringErrors('net.connect(UNIX)'), end: 'kept.destroy()' },
    {
      id: 'fetch',
      kind: 'socket.client',
      count: 3,
      make: 'aborting((signal) => fetch(`http://127.0.0.1:${MUTE}`, { signal }))',
      end: 'kept.abort()',
    },
    { id: 'net.Server', kind: 'server', count: 3, make: 'net.createServer().listen(0)', end: 'closed(kept)' },
    { id: 'http.Server', kind: 'server', count: 2, make: 'http.createServer().listen(0)', end: 'closed(kept)' },
    { id: 'tls.Server', kind: 'server', count: 2, make: 'tls.createServer().listen(0)', end: 'closed(kept)' },
    {
      id: 'unix server',
      kind: 'server',
      count: 2,
      make: 'net.createServer().listen(`${UNIX}.${process.pid}.${i}`)',
      end: 'closed(kept)',
    },
    {
      id: 'accepted',
      kind: 'server',
      count: 1,
      make: 'net.createServer((socket) => accepted.push(socket)).listen(0)',
      before: 'const accepted = [];',
      after: `await once(last, 'listening');
  const clients = [1, 2, 3].map(() => net.connect(last.address().port));
  await until(() => accepted.length === 3);
  extra.push(() => clients.forEach((client) => client.destroy()), () => accepted.forEach((socket) => socket.destroy()));`,
      end: 'closed(kept)',
      also: { kind: 'socket.server', via: 'server', count: 3 },
    },
    { id: 'udp', kind: 'socket.udp', count: 3, make: "dgram.createSocket('udp4')", end: 'kept.close()' },
    { id: 'setTimeout', kind: 'timer', count: 7, make: 'setTimeout(() => {}, 1e6)', end: 'clearTimeout(kept)' },
    {
      id: 'setTimeout args',
      kind: 'timer',
      count: 2,
      make: "setTimeout(() => {}, 1e6, 'a', 'b')",
      end: 'clearTimeout(kept)',
    },
    { id: 'unref', kind: 'timer', count: 5, make: 'setTimeout(() => {}, 1e6).unref()', end: 'clearTimeout(kept)' },
    { id: 'imported', kind: 'timer', count: 4, make: 'imported(() => {}, 1e6)', end: 'clearTimeout(kept)' },
    { id: 'setInterval', kind: 'interval', count: 6, make: 'setInterval(() => {}, 1e6)', end: 'clearInterval(kept)' },
    {
      id: 'unref interval',
      kind: 'interval',
      count: 3,
      make: 'setInterval(() => {}, 1e6).unref()',
      end: 'clearInterval(kept)',
    },
    {
      id: 'timers/promises unref',
      kind: 'timer.promise',
      count: 3,
      make: 'aborting((signal) => timersPromises.setTimeout(1e6, null, { signal, ref: false }))',
      end: 'kept.abort()',
    },
    {
      id: 'scheduler.wait',
      kind: 'timer.promise',
      count: 3,
      make: 'aborting((signal) => timersPromises.scheduler.wait(1e6, { signal }))',
      end: 'kept.abort()',
    },
    {
      id: 'timers/promises',
      kind: 'timer.promise',
      count: 3,
      make: 'aborting((signal) => timersPromises.setTimeout(1e6, null, { signal }))',
      end: 'kept.abort()',
    },
    { id: 'promisified', kind: 'timer.promise', count: 3, make: 'util.promisify(setTimeout)(2_000)', end: 'kept' },
    {
      id: 'interval.promise',
      kind: 'interval.promise',
      count: 3,
      make: 'timersPromises.setInterval(1e6)',
      end: 'void kept.return()',
    },
    {
      id: 'http.get',
      kind: 'http.request',
      count: 3,
      make: ignoringErrors('http.get({ port: MUTE, agent: false })'),
      end: 'kept.destroy()',
    },
    {
      id: 'https.get',
      kind: 'http.request',
      count: 3,
      make: ignoringErrors('https.get({ port: MUTE, rejectUnauthorized: false })'),
      end: 'kept.destroy()',
    },
    {
      id: 'https.Agent',
      kind: 'http.agent',
      count: 2,
      make: 'new https.Agent({ keepAlive: true })',
      end: 'kept.destroy()',
    },
    {
      id: 'http.Agent',
      kind: 'http.agent',
      count: 3,
      make: 'new http.Agent({ keepAlive: true })',
      end: 'kept.destroy()',
    },
    {
      id: 'spawn',
      kind: 'child_process',
      count: 3,
      make: "spawn('sleep', ['1000'])",
      end: "(kept.kill('SIGKILL'), once(kept, 'exit'))",
    },
    {
      id: 'execFile',
      kind: 'child_process',
      count: 2,
      make: "execFile('sleep', ['1000'])",
      end: "(kept.kill('SIGKILL'), once(kept, 'exit'))",
    },
    {
      id: 'fork',
      kind: 'child_process',
      count: 1,
      make: "fork('1000', [], { execPath: '/bin/sleep', execArgv: [] })",
      end: "(kept.kill('SIGKILL'), once(kept, 'exit'))",
    },
    {
      id: 'Worker',
      kind: 'worker',
      count: 1,
      make: "new Worker('setInterval(() => {}, 1e6)', { eval: true })",
      end: 'kept.terminate()',
    },
    { id: 'fs.watch', kind: 'fs.watch', count: 3, make: 'fs.watch(DIRECTORY)', end: 'kept.close()' },
    {
      id: 'fs.watchFile',
      kind: 'fs.watchFile',
      count: 1,
      make: 'fs.watchFile(FILE, () => {})',
      end: 'fs.unwatchFile(FILE)',
    },
    {
      id: 'fs.promises.watch',
      kind: 'fs.watch',
      count: 2,
      make: 'fs.promises.watch(DIRECTORY)',
      end: 'kept.return()',
    },
    { id: 'FileHandle', kind: 'fs.FileHandle', count: 3, make: 'await fs.promises.open(FILE)', end: 'kept.close()' },
    {
      id: 'ReadStream',
      kind: 'fs.ReadStream',
      count: 3,
      make: 'fs.createReadStream(FILE)',
      end: "(kept.destroy(), once(kept, 'close'))",
    },
    {
      id: 'FileHandle stream',
      kind: 'fs.FileHandle',
      count: 2,
      make: '(await fs.promises.open(FILE)).createReadStream()',
      end: "(kept.destroy(), once(kept, 'close'))",
    },
    {
      id: 'WriteStream',
      kind: 'fs.WriteStream',
      count: 3,
      make: "fs.createWriteStream(FILE + '.out')",
      end: "(kept.destroy(), once(kept, 'close'))",
    },
    ...[
      'Buffer.alloc(4096 * 1024)',
      'Buffer.allocUnsafe(4096 * 1024)',
      'Buffer.allocUnsafeSlow(4096 * 1024)',
      "Buffer.from('x'.repeat(4096 * 1024))",
      'Buffer.concat([half, half])',
    ].map((make) => ({
      id: make.split('(', 1)[0]!,
      kind: 'buffer',
      count: 16,
      // Large, few and a second apart, so that nearly each is taken: the more are made at once, the wider the estimate.
      before: 'const half = new Uint8Array(2048 * 1024);\n  await later(1_100);',
      make,
      end: 'undefined',
      atLeastBytes: 36 * 1024 * 1024,
    })),
    ...['new ArrayBuffer(4096 * 1024)', 'new (class extends ArrayBuffer {})(4096 * 1024)'].map((make) => ({
      id: make.split('(4096', 1)[0]!,
      kind: 'arraybuffer',
      count: 16,
      before: 'await later(1_100);',
      make,
      end: 'undefined',
      atLeastBytes: 36 * 1024 * 1024,
    })),
  ],
};

const redisClients: Family = {
  name: 'redis-clients',
  imports: [
    ['{ Redis, Cluster }', 'ioredis'],
    ['{ Redis as Redis5, Cluster as Cluster5 }', 'ioredis5'],
    ['{ createClient, createClientPool, createCluster, createSentinel }', 'redis'],
    ['{ once }', 'node:events'],
  ],
  plants: [
    {
      id: 'ioredis 6',
      kind: 'ioredis.client',
      count: 3,
      make: 'new Redis(REDIS)',
      after: "await Promise.all(all.map((client) => once(client, 'ready')));",
      end: 'ended(kept)',
      also: { kind: 'socket.client', via: 'ioredis.client', count: 3 },
    },
    {
      id: 'ioredis 5',
      kind: 'ioredis.client',
      count: 3,
      make: 'new Redis5(REDIS)',
      after: "await Promise.all(all.map((client) => once(client, 'ready')));",
      end: 'ended(kept)',
      also: { kind: 'socket.client', via: 'ioredis.client', count: 3 },
    },
    {
      id: 'ioredis lazy',
      kind: 'ioredis.client',
      count: 3,
      make: 'new Redis(REDIS, { lazyConnect: true })',
      end: 'ended(kept)',
    },
    {
      id: 'ioredis duplicate',
      kind: 'ioredis.client',
      count: 3,
      before: 'const first = new Redis(REDIS, { lazyConnect: true });\n  extra.push(() => first.disconnect());',
      make: 'first.duplicate()',
      end: 'ended(kept)',
    },
    {
      id: 'ioredis unreachable',
      kind: 'ioredis.client',
      count: 3,
      make: ignoringErrors("new Redis({ port: 1, host: '127.0.0.1' })"),
      after: 'await later(500);',
      end: 'kept.disconnect()',
    },
    {
      id: 'ioredis cluster',
      kind: 'ioredis.cluster',
      count: 2,
      make: ignoringErrors('new Cluster([REDIS], { lazyConnect: true })'),
      end: 'ended(kept)',
    },
    ...(['Cluster', 'Cluster5'] as const).flatMap((name): Planted[] => [
      {
        id: `${name} connected`,
        kind: 'ioredis.cluster',
        count: 2,
        make: `new ${name}([CLUSTER])`,
        after: "await Promise.all(all.map((client) => once(client, 'ready')));",
        end: 'ended(kept)',
        also: { kind: 'ioredis.client', via: 'ioredis.cluster', count: 2 },
      },
      {
        id: `${name} duplicate`,
        kind: 'ioredis.cluster',
        count: 2,
        before: `const first = new ${name}([CLUSTER], { lazyConnect: true });\n  extra.push(() => first.disconnect());`,
        make: 'first.duplicate([], { lazyConnect: true })',
        end: 'ended(kept)',
      },
    ]),
    {
      id: 'ioredis 5 lazy',
      kind: 'ioredis.client',
      count: 3,
      make: 'new Redis5(REDIS, { lazyConnect: true })',
      end: 'ended(kept)',
    },
    {
      id: 'ioredis 5 duplicate',
      kind: 'ioredis.client',
      count: 3,
      before: 'const first = new Redis5(REDIS, { lazyConnect: true });\n  extra.push(() => first.disconnect());',
      make: 'first.duplicate()',
      end: 'ended(kept)',
    },
    {
      id: 'node-redis sentinel',
      kind: 'node-redis.sentinel',
      count: 2,
      make: "createSentinel({ name: 'planted', sentinelRootNodes: [{ host: '127.0.0.1', port: MUTE }] })",
      end: 'kept.destroy()',
    },
    {
      id: 'node-redis',
      kind: 'node-redis.client',
      count: 3,
      make: 'await createClient({ url: REDIS }).connect()',
      end: 'kept.close()',
    },
    {
      id: 'node-redis duplicate',
      kind: 'node-redis.client',
      count: 3,
      before:
        'const first = createClient({ url: REDIS });\n  await first.connect();\n  extra.push(() => first.destroy());',
      make: 'await first.duplicate().connect()',
      end: 'kept.destroy()',
    },
    {
      id: 'node-redis pool',
      kind: 'node-redis.pool',
      count: 2,
      make: 'createClientPool({ url: REDIS })',
      end: 'kept.destroy()',
    },
    {
      id: 'node-redis cluster',
      kind: 'node-redis.cluster',
      count: 2,
      make: 'createCluster({ rootNodes: [{ url: REDIS }] })',
      end: 'kept.destroy()',
    },
  ],
};

const databases: Family = {
  name: 'databases-and-rpc',
  imports: [
    ['pg', 'pg'],
    ['mysql', 'mysql2'],
    ['mysqlPromise', 'mysql2/promise'],
    ['undici', 'undici'],
    ['{ Client as GrpcClient, Channel, credentials, makeGenericClientConstructor }', '@grpc/grpc-js'],
  ],
  plants: [
    {
      id: 'pg.Client',
      kind: 'pg.client',
      count: 3,
      make: 'connecting(new pg.Client(PG), (client) => client.connect())',
      end: 'kept.connection.stream.destroy()',
    },
    { id: 'pg.Pool', kind: 'pg.pool', count: 3, make: 'new pg.Pool(PG)', end: 'kept.end()' },
    {
      id: 'mysql2 connection',
      kind: 'mysql2.connection',
      count: 3,
      make: ignoringErrors("mysql.createConnection({ host: '127.0.0.1', port: MUTE })"),
      end: 'kept.destroy()',
      also: { kind: 'socket.client', via: 'mysql2.connection', count: 3 },
    },
    {
      id: 'mysql2 pool',
      kind: 'mysql2.pool',
      count: 3,
      make: "mysql.createPool({ host: '127.0.0.1', port: MUTE })",
      end: 'kept.end()',
    },
    {
      id: 'mysql2 promise pool',
      kind: 'mysql2.pool',
      count: 3,
      make: "mysqlPromise.createPool({ host: '127.0.0.1', port: MUTE })",
      end: 'kept.end()',
    },
    {
      id: 'undici.Pool',
      kind: 'undici.Pool',
      count: 3,
      make: 'new undici.Pool(`http://127.0.0.1:${MUTE}`)',
      end: 'kept.close()',
    },
    { id: 'undici.Agent', kind: 'undici.Agent', count: 3, make: 'new undici.Agent()', end: 'kept.destroy()' },
    {
      id: 'undici.Client',
      kind: 'undici.Client',
      count: 3,
      make: 'new undici.Client(`http://127.0.0.1:${MUTE}`)',
      end: 'kept.close()',
    },
    ...[
      'BalancedPool(`http://127.0.0.1:${MUTE}`)',
      'RoundRobinPool(`http://127.0.0.1:${MUTE}`)',
      'H2CClient(`http://127.0.0.1:${MUTE}`)',
      'ProxyAgent(`http://127.0.0.1:${MUTE}`)',
      'EnvHttpProxyAgent()',
      'RetryAgent(new undici.Pool(`http://127.0.0.1:${MUTE}`))',
    ].map((made) => ({
      id: `undici.${made.split('(', 1)[0]}`,
      kind: `undici.${made.split('(', 1)[0]}`,
      count: 2,
      make: `new undici.${made}`,
      end: 'kept.close()',
    })),
    {
      id: 'mysql2 cluster',
      kind: 'mysql2.poolCluster',
      count: 2,
      make: 'mysql.createPoolCluster()',
      end: 'kept.end()',
    },
    {
      id: 'mysql2 promise connection',
      kind: 'mysql2.connection',
      count: 2,
      make: "unawaited(mysqlPromise.createConnection({ host: '127.0.0.1', port: MUTE, connectTimeout: 1_500 }))",
      end: 'kept',
    },
    {
      id: 'grpc Channel',
      kind: 'grpc.channel',
      count: 2,
      make: 'new Channel(`127.0.0.1:${MUTE}`, credentials.createInsecure(), {})',
      end: 'kept.close()',
    },
    {
      id: 'grpc service',
      kind: 'grpc.channel',
      count: 2,
      before: "const Service = makeGenericClientConstructor({}, 'Planted');",
      make: 'new Service(`127.0.0.1:${MUTE}`, credentials.createInsecure())',
      end: 'kept.close()',
    },
    {
      id: 'grpc',
      kind: 'grpc.channel',
      count: 3,
      make: 'new GrpcClient(`127.0.0.1:${MUTE}`, credentials.createInsecure())',
      end: 'kept.close()',
    },
  ],
};

const nestAndQueues: Family = {
  name: 'nest-and-bullmq',
  imports: [
    ['reflect', 'reflect-metadata'],
    ['{ ClientProxy, ClientProxyFactory, ClientTCP, Transport }', '@nestjs/microservices'],
    ['{ Queue, Worker, QueueEvents, FlowProducer }', 'bullmq'],
  ],
  plants: [
    {
      id: 'ClientProxyFactory',
      kind: 'nest.ClientTCP',
      count: 3,
      make: 'ClientProxyFactory.create({ transport: Transport.TCP, options: { port: MUTE } })',
      after: 'await Promise.all(all.map((client) => client.connect()));',
      end: 'kept.close()',
      also: { kind: 'socket.client', via: 'nest.ClientTCP', count: 3 },
    },
    { id: 'ClientTCP', kind: 'nest.ClientTCP', count: 3, make: 'new ClientTCP({ port: MUTE })', end: 'kept.close()' },
    {
      id: 'ClientRedis',
      kind: 'nest.ClientRedis',
      count: 2,
      make: 'ClientProxyFactory.create({ transport: Transport.REDIS, options: { port: Number(new URL(REDIS).port) } })',
      end: 'kept.close()',
    },
    ...(
      [
        ['NATS', 'ClientNats', '{}'],
        ['MQTT', 'ClientMqtt', '{}'],
        ['RMQ', 'ClientRMQ', '{ urls: [`amqp://127.0.0.1:${MUTE}`] }'],
        ['KAFKA', 'ClientKafka', '{}'],
        ['GRPC', 'ClientGrpcProxy', "{ url: `127.0.0.1:${MUTE}`, package: 'planted', protoPath: PROTO }"],
      ] as const
    ).map(([transport, name, options]) => ({
      id: name,
      kind: `nest.${name}`,
      count: 2,
      make: `ClientProxyFactory.create({ transport: Transport.${transport}, options: ${options} })`,
      end: 'kept.close()',
    })),
    {
      id: 'a ClientProxy of the application',
      kind: 'nest.Pigeons',
      count: 2,
      // On one line: the nearest of the application is the one in its own constructor.
      make:
        'new (class Pigeons extends ClientProxy { constructor() { super(); this.initializeSerializer({}); } async connect() {} ' +
        'async close() {} publish() { return () => {}; } async dispatchEvent() {} unwrap() {} })()',
      end: 'kept.close()',
    },
    {
      id: 'Queue',
      kind: 'bullmq.Queue',
      count: 2,
      make: "new Queue('planted', { connection: { url: REDIS } })",
      end: 'kept.close()',
    },
    {
      id: 'Worker',
      kind: 'bullmq.Worker',
      count: 2,
      make: "new Worker('planted', async () => {}, { connection: { url: REDIS, maxRetriesPerRequest: null } })",
      after: 'await Promise.all(all.map((worker) => worker.waitUntilReady()));',
      end: 'kept.close()',
    },
    {
      id: 'QueueEvents',
      kind: 'bullmq.QueueEvents',
      count: 2,
      make: "new QueueEvents('planted', { connection: { url: REDIS } })",
      end: 'kept.close()',
    },
    {
      id: 'FlowProducer',
      kind: 'bullmq.FlowProducer',
      count: 2,
      make: 'new FlowProducer({ connection: { url: REDIS } })',
      end: 'kept.close()',
    },
  ],
};

export const families: readonly Family[] = [builtIns, redisClients, databases, nestAndQueues];
