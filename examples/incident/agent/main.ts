import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { NestFactory } from '@nestjs/core';
import { AgentModule } from './agent.module.js';

async function main(): Promise<void> {
  const app = await NestFactory.create(AgentModule, { forceCloseConnections: true });
  app.enableShutdownHooks();
  await app.listen(Number(process.env['HTTP_PORT'] ?? 0), '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  process.send?.({ type: 'ready', url: `http://127.0.0.1:${port}` });
}

void main();
