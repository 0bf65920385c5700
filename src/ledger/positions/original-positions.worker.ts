import { parentPort, workerData } from 'node:worker_threads';
import { originalPlaces, type PositionRequest } from './original-positions.js';

// Lives for one question: what a source map takes to read goes with it.
const { requests } = workerData as { requests: readonly PositionRequest[] };
parentPort?.postMessage(requests.map((request) => originalPlaces(request)));
