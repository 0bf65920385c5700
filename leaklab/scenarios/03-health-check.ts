/* leaklab
row: 3
class: H
title: a health indicator that opens a client at every check
read: nestjs/terminus#321
kind: ioredis.client
load: { rate: 1 }
perCommand: 1
seconds: { all: 150 }
needs: [redis]
memoryMiB: 512
*/
import { Controller, Get, Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  HealthCheckService,
  HealthIndicatorService,
  TerminusModule,
  type HealthIndicatorResult,
} from '@nestjs/terminus';
import { Redis } from 'ioredis';
import type { AddressInfo } from 'node:net';
import 'reflect-metadata';

@Injectable()
class RedisIndicator {
  constructor(private readonly indicators: HealthIndicatorService) {}

  async check(): Promise<HealthIndicatorResult> {
    const client = new Redis(process.env.REDIS_URL as string); // plant
    const reply = await client.ping();
    const indicator = this.indicators.check('redis');
    return reply === 'PONG' ? indicator.up() : indicator.down();
  }
}

@Controller()
class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly redis: RedisIndicator,
  ) {}

  @Get()
  check(): Promise<unknown> {
    return this.health.check([() => this.redis.check()]);
  }
}

@Module({ imports: [TerminusModule], controllers: [HealthController], providers: [RedisIndicator] })
class AppModule {}

async function main(): Promise<void> {
  const app = await NestFactory.create(AppModule, { logger: false });
  await app.listen(0, '127.0.0.1');
  console.log(`listening ${(app.getHttpServer().address() as AddressInfo).port}`);
}

void main();
