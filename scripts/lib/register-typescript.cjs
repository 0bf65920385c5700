// Lets plain Node run TypeScript files of this checkout (`node --require scripts/lib/register-typescript.cjs file.ts`).
// They are compiled one by one without type check, as jest does it; a relative import './x.js' finds the x.ts beside it.
const { readFileSync } = require('node:fs');
const Module = require('node:module');
const path = require('node:path');
const ts = require('typescript');

const configFile = path.join(__dirname, '../../tsconfig.json');
const { config } = ts.readConfigFile(configFile, ts.sys.readFile);
const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, path.dirname(configFile));

const resolveFilename = Module._resolveFilename;
Module._resolveFilename = function resolve(request, parent, ...rest) {
  if (parent?.filename?.endsWith('.ts') && /^\.{1,2}\/.*\.js$/.test(request)) {
    try {
      return resolveFilename.call(this, request.replace(/\.js$/, '.ts'), parent, ...rest);
    } catch (error) {
      if (error.code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  return resolveFilename.call(this, request, parent, ...rest);
};

require.extensions['.ts'] = (module, filename) => {
  const { outputText } = ts.transpileModule(readFileSync(filename, 'utf8'), {
    fileName: filename,
    compilerOptions: { ...options, noEmit: false, declaration: false, sourceMap: false, inlineSourceMap: true },
  });
  module._compile(outputText, filename);
};
