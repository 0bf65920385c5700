import { readFileSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { z } from 'zod';
import { inCheckout } from './checkout.mjs';

const DESCRIBE = '__described';

/**
 * The contract as `src/contract/` declares it, with the docstrings of its source as descriptions of the schemas, so that a page can say what
 * a field means. What runs carries none of it: a docstring is for who reads, and costs a process nothing.
 */
export function describedContract() {
  const loaded = new Map();
  const load = (file) => {
    if (!loaded.has(file)) {
      const module = new Module(file);
      loaded.set(file, module);
      const { outputText } = ts.transpileModule(readFileSync(file, 'utf8'), {
        compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
        transformers: { before: [describing] },
      });
      const require = createRequire(file);
      const run = new Function('module', 'exports', 'require', DESCRIBE, outputText);
      const requireSource = (name) =>
        name.startsWith('.') ? load(join(dirname(file), name.replace(/\.js$/, '.ts'))) : require(name);
      run(module, module.exports, requireSource, described);
    }
    return loaded.get(file).exports;
  };
  return load(inCheckout('src/contract/index.ts'));
}

/** Wraps what has a docstring: values of object literals and of constants. */
function describing(context) {
  const wrap = (node, initializer) => {
    const text = docstring(node);
    if (text === '') return initializer;
    const { factory } = context;
    return factory.createCallExpression(factory.createIdentifier(DESCRIBE), undefined, [
      initializer,
      factory.createStringLiteral(text),
      ts.isVariableDeclaration(node) ? factory.createTrue() : factory.createFalse(),
    ]);
  };
  const visit = (node) => {
    const { factory } = context;
    const visited = ts.visitEachChild(node, visit, context);
    if (ts.isPropertyAssignment(node))
      return factory.updatePropertyAssignment(visited, visited.name, wrap(node, visited.initializer));
    if (ts.isVariableDeclaration(node) && visited.initializer)
      return factory.updateVariableDeclaration(
        visited,
        visited.name,
        visited.exclamationToken,
        visited.type,
        wrap(node, visited.initializer),
      );
    return visited;
  };
  return (source) => ts.visitNode(source, visit);
}

function docstring(node) {
  const docs = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc);
  const text = docs.length === 0 ? '' : (ts.getTextOfJSDocComment(docs.at(-1).comment) ?? '');
  return text.replace(/\s+/g, ' ').trim();
}

/**
 * @param isType whether the text is of a constant: it says what a type is, and nothing of the fields that are of it
 * @returns a field with a description; a type as it is, described where it has a name of its own; a command (request and reply) with a
 * `description` beside them; anything else as it is
 */
function described(value, text, isType) {
  if (!(value instanceof z.ZodType))
    return value?.request instanceof z.ZodType ? { ...value, description: text } : value;
  if (!isType) return value.describe(text);
  const named = [value, value._zod.def.innerType].find((schema) => schema && z.globalRegistry.get(schema)?.id);
  if (named) {
    // A copy with a description would not have the name under which others refer to it.
    const meta = z.globalRegistry.get(named);
    z.globalRegistry.remove(named);
    z.globalRegistry.add(named, { ...meta, description: text });
  }
  return value;
}
