/** Kinds in words, for sentences: one of them, and several. What is not here is told by its own name. */
const WORDS: Readonly<Record<string, readonly [one: string, many: string]>> = {
  'ioredis.client': ['redis client', 'redis clients'],
  'ioredis.cluster': ['redis cluster client', 'redis cluster clients'],
  'node-redis.client': ['redis client', 'redis clients'],
  'socket.client': ['client socket', 'client sockets'],
  'socket.tls': ['TLS socket', 'TLS sockets'],
  'socket.unix': ['unix socket', 'unix sockets'],
  'socket.server': ['accepted connection', 'accepted connections'],
  'socket.udp': ['UDP socket', 'UDP sockets'],
  server: ['server', 'servers'],
  timer: ['timer', 'timers'],
  'timer.promise': ['awaited timer', 'awaited timers'],
  interval: ['interval', 'intervals'],
  'interval.promise': ['awaited interval', 'awaited intervals'],
  'http.request': ['HTTP request', 'HTTP requests'],
  'http.agent': ['HTTP agent', 'HTTP agents'],
  'pg.client': ['PostgreSQL client', 'PostgreSQL clients'],
  'pg.pool': ['PostgreSQL pool', 'PostgreSQL pools'],
  'mysql2.connection': ['MySQL connection', 'MySQL connections'],
  'mysql2.pool': ['MySQL pool', 'MySQL pools'],
  'grpc.channel': ['gRPC channel', 'gRPC channels'],
  child_process: ['child process', 'child processes'],
  worker: ['worker thread', 'worker threads'],
  'fs.watch': ['file watcher', 'file watchers'],
  'fs.watchFile': ['file watcher', 'file watchers'],
  'fs.FileHandle': ['file handle', 'file handles'],
  'fs.ReadStream': ['read stream', 'read streams'],
  'fs.WriteStream': ['write stream', 'write streams'],
  listener: ['listener', 'listeners'],
  'listener.target': ['listener of event targets', 'listeners of event targets'],
  fds: ['file descriptor that nothing accounts for', 'file descriptors that nothing accounts for'],
};

/** `1,240 redis clients`. */
export function countOf(live: number, kind: string): string {
  const words = WORDS[kind];
  const number = live.toLocaleString('en-US');
  if (!words) return `${number} of ${kind}`;
  return `${number} ${live === 1 ? words[0] : words[1]}`;
}
