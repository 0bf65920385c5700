// (a) commander's own transport: limits, schema, deadline, in-flight count and all.
import { built, require } from '../support/build.mjs';
import { measured } from '../support/measured-server.mjs';
import { answer, PATTERN } from './request.mjs';

require('reflect-metadata');
const { Controller, Module } = require('@nestjs/common');
const { NestFactory } = require('@nestjs/core');
const { ConfigModule } = built('config/config.module.js');
const { readSettings } = built('config/settings.js');
const { LifecycleModule } = built('lifecycle/lifecycle.module.js');
const { Command } = built('transport/command.decorator.js');
const { CommanderServer } = built('transport/commander-server.js');
const { TransportModule } = built('transport/transport.module.js');

class BenchController {
  async get(request) {
    return answer(request);
  }
}
Command(PATTERN)(BenchController.prototype, 'get', Object.getOwnPropertyDescriptor(BenchController.prototype, 'get'));
Controller()(BenchController);

class BenchModule {}
Module({
  imports: [
    ConfigModule.forRoot(readSettings({ TCP_PORT: '0', MAX_REQUESTS_PER_SECOND: '0' })),
    LifecycleModule,
    TransportModule,
  ],
  controllers: [BenchController],
})(BenchModule);

const app = await NestFactory.create(BenchModule, { logger: false });
const server = app.get(CommanderServer);
app.connectMicroservice({ strategy: server });
await app.init();
await app.startAllMicroservices();
measured(server.address().port);
