/* leaklab
row: 15
class: M
title: a Map without a bound in a Nest singleton
read: twentyhq/twenty#25659
load: { rate: 100 }
perCommand: 1
seconds: { quick: 100, all: 180 }
memoryMiB: 300
etaWithin: 0.2
*/
import { Controller, Get, Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { AddressInfo } from 'node:net';
import 'reflect-metadata';

interface Page {
  readonly words: { readonly text: string; readonly at: number }[];
}

@Injectable()
class PageCache {
  private readonly pages = new Map<string, Page>();
  private requests = 0;

  remember(): Page {
    const key = `page ${++this.requests}`;
    const words = Array.from({ length: 100 }, (_, at) => ({ text: `${key} word ${at}`, at }));
    const page = { words };
    this.pages.set(key, page); // plant
    return page;
  }
}

@Controller()
class PagesController {
  constructor(private readonly cache: PageCache) {}

  @Get()
  page(): number {
    return this.cache.remember().words.length;
  }
}

@Module({ controllers: [PagesController], providers: [PageCache] })
class AppModule {}

async function main(): Promise<void> {
  const app = await NestFactory.create(AppModule, { logger: false });
  await app.listen(0, '127.0.0.1');
  console.log(`listening ${(app.getHttpServer().address() as AddressInfo).port}`);
}

void main();
