/* leaklab
row: 8
class: M
title: request-scoped providers kept by a singleton
read: nestjs/nest#4521
load: { rate: 50 }
perCommand: 1
seconds: { all: 150 }
memoryMiB: 512
*/
import { Controller, Get, Injectable, Module, Scope } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { AddressInfo } from 'node:net';
import 'reflect-metadata';

@Injectable()
class Registry {
  readonly states = new Set<object>();
}

@Injectable({ scope: Scope.REQUEST })
class RequestState {
  readonly values: { name: string; at: number }[] = [];

  constructor(registry: Registry) {
    for (let index = 0; index < 200; index++) this.values.push({ name: `value ${index} ${Date.now()}`, at: index });
    registry.states.add(this); // plant
  }
}

@Controller()
class PagesController {
  constructor(private readonly state: RequestState) {}

  @Get()
  page(): number {
    return this.state.values.length;
  }
}

@Module({ controllers: [PagesController], providers: [Registry, RequestState] })
class AppModule {}

async function main(): Promise<void> {
  const app = await NestFactory.create(AppModule, { logger: false });
  await app.listen(0, '127.0.0.1');
  console.log(`listening ${(app.getHttpServer().address() as AddressInfo).port}`);
}

void main();
