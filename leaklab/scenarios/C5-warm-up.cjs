/* leaklab
row: C5
class: C
title: the first minutes after a deployment, modules loaded as they are first needed
read: taskforcesh/bullmq#3040
load: { rate: 50 }
seconds: { all: 600 }
memoryMiB: 768
*/
const { serve } = require('../service.cjs');

const MODULES = [
  '@nestjs/common',
  '@nestjs/core',
  '@nestjs/microservices',
  'rxjs',
  'zod',
  'ioredis',
  'bullmq',
  'pino',
  'winston',
  'undici',
  'pg',
  'mysql2',
  'redis',
  '@grpc/grpc-js',
  'prom-client',
  'croner',
  'cheerio',
  'yaml',
  'protobufjs',
  'reflect-metadata',
  'safe-stable-stringify',
  '@nestjs/terminus',
];
const codes = new Map();
let requests = 0;

function compiled(variant) {
  let code = codes.get(variant);
  // One function per variant, each compiled and optimised by itself.
  if (!code)
    codes.set(
      variant,
      (code = new Function('x', `let sum = ${variant}; for (let i = 0; i < 500; i++) sum += i * x; return sum;`)),
    );
  return code;
}

serve(() => {
  requests++;
  // One module more every ten seconds or so, as routes are used for the first time.
  const name = requests % 500 === 0 ? MODULES[requests / 500 - 1] : undefined;
  if (name) require(name);
  return compiled(Math.floor(Math.random() ** 4 * 400))(requests);
});
