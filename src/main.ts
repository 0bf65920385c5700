// First: a signal that comes while the rest is loaded must not be lost.
import './lifecycle/early-signals.js';
// Next: what is opened before the ledger counts is unknown to it.
import './ledger/register.js';
import 'reflect-metadata';
import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import { type INestApplication, Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { AppModule } from './app.module.js';
import { memoryFit } from './config/memory-fit.js';
import { readSettings, type Settings, SettingsError } from './config/settings.js';
import { boundHttpServer } from './diagnostics/http/http-bounds.js';
import { memoryLimitBytes } from './ledger/process/memory-limit.js';
import { installShutdown } from './lifecycle/shutdown-deadline.js';
import { PinoLogger } from './logging/pino-logger.js';
import { CommanderServer } from './transport/commander-server.js';

/** What the parent process is told over its IPC channel, if there is one, once both ports are open. */
interface ReadyMessage {
  type: 'ready';
  tcp: { host: string; port: number };
  http: { host: string; port: number };
}

async function start(settings: Settings): Promise<void> {
  const logger = new PinoLogger(settings.logLevel);
  const starting = NestFactory.create<NestExpressApplication>(AppModule.forRoot(settings), {
    logger,
    abortOnError: false,
    forceCloseConnections: true,
    // Nothing here reads a body: a parser would hold those of strangers before they are asked who they are.
    bodyParser: false,
  });
  installShutdown(starting, { timeoutMs: settings.shutdownTimeoutMs });
  tellMemory(settings);
  const app = await starting;
  app.disable('x-powered-by');
  boundHttpServer(app.getHttpServer());
  const server = app.get(CommanderServer);
  app.connectMicroservice({ strategy: server }, { inheritAppConfig: true });
  // Before the first command can come in: everything that hooks prepare is there.
  await app.init();
  await app.startAllMicroservices();
  await app.listen(settings.httpPort, settings.httpHost);

  const ready: ReadyMessage = { type: 'ready', tcp: server.address(), http: httpAddress(app) };
  new Logger('Commander').log(
    `commands on ${ready.tcp.host}:${ready.tcp.port}, diagnostics on http://${ready.http.host}:${ready.http.port}`,
  );
  process.send?.(ready);
}

/** One line: the memory limit that the process reads itself, and the sum that has to fit it; a warning when it does not. */
function tellMemory(settings: Settings): void {
  const limitBytes = memoryLimitBytes(process.constrainedMemory(), totalmem());
  const { fits, text } = memoryFit(getHeapStatistics().heap_size_limit, limitBytes, settings);
  const logger = new Logger('Memory');
  if (fits) logger.log(text);
  else logger.warn(text);
}

function httpAddress(app: INestApplication): { host: string; port: number } {
  const { address, port } = app.getHttpServer().address() as { address: string; port: number };
  return { host: address, port };
}

function refuseStart(error: unknown): void {
  const text = error instanceof SettingsError ? error.message : error instanceof Error ? error.stack : String(error);
  process.stderr.write(`commander cannot start\n${text}\n`);
  process.exit(1);
}

try {
  start(readSettings(process.env)).catch(refuseStart);
} catch (error) {
  refuseStart(error);
}
