// Nest with its TCP transport and its HTTP server, and nothing else.
import { require } from '../support/build.mjs';
import { serveParent } from '../support/child.mjs';

require('reflect-metadata');
const { Module } = require('@nestjs/common');
const { NestFactory } = require('@nestjs/core');
const { Transport } = require('@nestjs/microservices');

class EmptyModule {}
Module({})(EmptyModule);

const app = await NestFactory.create(EmptyModule, { logger: false });
app.connectMicroservice({ transport: Transport.TCP, options: { host: '127.0.0.1', port: 0 } });
await app.startAllMicroservices();
await app.listen(0, '127.0.0.1');
serveParent({}, {});
