#!/usr/bin/env node
import { runProgram } from './program.js';

// Not process.exit(): what was written must get out, and a handle left open should be noticed.
void runProgram(process.argv.slice(2)).then((exitCode) => {
  process.exitCode = exitCode;
});
