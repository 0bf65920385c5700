import { buffers } from './buffers.kind.js';
import { bullmq } from './bullmq.kind.js';
import { childProcesses } from './child-processes.kind.js';
import { files } from './files.kind.js';
import { grpc } from './grpc.kind.js';
import { httpAgents } from './http-agents.kind.js';
import { httpRequests } from './http-requests.kind.js';
import { ioredis } from './ioredis.kind.js';
import type { Kind } from './kind.js';
import { listeners } from './listeners.kind.js';
import { mysql2 } from './mysql2.kind.js';
import { nest } from './nest.kind.js';
import { nodeRedis } from './node-redis.kind.js';
import { pg } from './pg.kind.js';
import { servers } from './servers.kind.js';
import { sockets } from './sockets.kind.js';
import { timerKinds } from './timers.kind.js';
import { udp } from './udp.kind.js';
import { undici } from './undici.kind.js';
import { watchers } from './watchers.kind.js';
import { workers } from './workers.kind.js';

/** Every kind the ledger knows. Order does not matter; a new kind is one file and one line here. */
export const kindTable: readonly Kind[] = [
  sockets,
  servers,
  udp,
  timerKinds,
  httpRequests,
  httpAgents,
  ioredis,
  nodeRedis,
  pg,
  mysql2,
  undici,
  grpc,
  nest,
  bullmq,
  childProcesses,
  workers,
  watchers,
  files,
  listeners,
  buffers,
];
