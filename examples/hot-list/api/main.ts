import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { ApiModule } from './api.module.js';

async function main(): Promise<void> {
  const app = await NestFactory.create(ApiModule);
  app.enableShutdownHooks();
  await app.listen(Number(process.env.API_PORT ?? 7990), '127.0.0.1');
  const url = await app.getUrl();
  console.log(`lists at ${url}/lists`);
  process.send?.({ type: 'ready', url });
}

void main();
