/* leaklab
row: 9
class: H
title: an interval in a request-scoped provider
read: yjs/y-websocket#23
kind: interval
load: { rate: 20 }
perCommand: 1
seconds: { all: 60 }
memoryMiB: 512
*/
import { Controller, Get, Injectable, Module, Scope } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { AddressInfo } from 'node:net';
import 'reflect-metadata';

interface Shown {
  readonly seconds: number;
}

@Injectable({ scope: Scope.REQUEST })
class RequestClock implements Shown {
  seconds = 0;

  constructor() {
    setInterval(() => this.seconds++, 1_000); // plant
  }
}

@Controller()
class PagesController {
  constructor(private readonly clock: RequestClock) {}

  @Get()
  page(): number {
    return this.clock.seconds;
  }
}

@Module({ controllers: [PagesController], providers: [RequestClock] })
class AppModule {}

async function main(): Promise<void> {
  const app = await NestFactory.create(AppModule, { logger: false });
  await app.listen(0, '127.0.0.1');
  console.log(`listening ${(app.getHttpServer().address() as AddressInfo).port}`);
}

void main();
