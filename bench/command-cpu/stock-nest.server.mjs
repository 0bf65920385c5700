// (b) Nest's own TCP transport with its defaults: no limit on connections, no schema, no deadline.
import { require } from '../support/build.mjs';
import { measured } from '../support/measured-server.mjs';
import { answer, PATTERN } from './request.mjs';

require('reflect-metadata');
const { Controller, Module } = require('@nestjs/common');
const { NestFactory } = require('@nestjs/core');
const { MessagePattern, Transport } = require('@nestjs/microservices');

class BenchController {
  async get(request) {
    return answer(request);
  }
}
MessagePattern(PATTERN)(
  BenchController.prototype,
  'get',
  Object.getOwnPropertyDescriptor(BenchController.prototype, 'get'),
);
Controller()(BenchController);

class BenchModule {}
Module({ controllers: [BenchController] })(BenchModule);

const options = { host: '127.0.0.1', port: 0 };
const app = await NestFactory.createMicroservice(BenchModule, { transport: Transport.TCP, options, logger: false });
await app.listen();
measured(app.unwrap().address().port);
