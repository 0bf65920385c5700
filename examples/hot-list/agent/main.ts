import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { CommanderAgent } from 'mu-commander/agent';
import { AgentModule } from './agent.module.js';

async function main(): Promise<void> {
  const app = await NestFactory.createApplicationContext(AgentModule);
  // SIGTERM: no new runs, those under way finish, commander is told.
  app.enableShutdownHooks();
  process.send?.({ type: 'ready', ...app.get(CommanderAgent).address });
}

void main();
