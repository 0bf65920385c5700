import type { AddressInfo } from 'node:net';
import type { INestApplication } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { DiagnosticsModule, type DiagnosticsOptions } from '../../../src/diagnostics/index';

/** An application of somebody else: Express, DiagnosticsModule, nothing of ours besides. */
export class DiagnosticsApp {
  private constructor(
    readonly app: INestApplication,
    readonly port: number,
  ) {}

  static async start(options: DiagnosticsOptions = {}, host = '127.0.0.1'): Promise<DiagnosticsApp> {
    @Module({ imports: [DiagnosticsModule.forRoot(options)] })
    class ForeignModule {}
    const app = await NestFactory.create(ForeignModule, { logger: false, abortOnError: false });
    await app.listen(0, host);
    return new DiagnosticsApp(app, (app.getHttpServer().address() as AddressInfo).port);
  }

  url(path: string, host = '127.0.0.1'): string {
    return `http://${host}:${this.port}${path}`;
  }
}
