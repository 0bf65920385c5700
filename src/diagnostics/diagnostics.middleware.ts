import type { IncomingMessage, ServerResponse } from 'node:http';
import { Inject, Injectable, type NestMiddleware } from '@nestjs/common';
import { ApplicationConfig } from '@nestjs/core';
import { Diagnostics } from './diagnostics.js';

/** Serves the diagnostics in a Nest application. A middleware gets Node's own request and response under every adapter. */
@Injectable()
export class DiagnosticsMiddleware implements NestMiddleware {
  constructor(
    @Inject(Diagnostics) private readonly diagnostics: Diagnostics,
    @Inject(ApplicationConfig) private readonly config: ApplicationConfig,
  ) {}

  async use(request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void): Promise<void> {
    const prefix = this.config
      .getGlobalPrefix()
      .replace(/^\/?(?=.)/, '/')
      .replace(/\/$/, '');
    if (!(await this.diagnostics.handle(request, response, prefix))) next();
  }
}
