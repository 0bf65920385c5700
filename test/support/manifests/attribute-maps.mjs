// Reads manifests as JSON from stdin and prints those of their fields that the Kubernetes client does not know, as JSON:
// [["Deployment commander", "spec.template.specs"], …]. A program of its own: the client is an ES module, and jest is not.
import * as kubernetes from '@kubernetes/client-node';

/** Name of the model of a kind: V1Deployment for apps/v1 Deployment. @param {{apiVersion: string, kind: string}} manifest */
const modelName = ({ apiVersion, kind }) => {
  const version = apiVersion.split('/').at(-1);
  return version.charAt(0).toUpperCase() + version.slice(1) + kind;
};

/** @returns {string[]} paths that are not in the attribute map of the type */
function unknownFields(value, type, path) {
  if (typeof value !== 'object' || value === null) return [];
  const item = /^Array<(.+)>$/.exec(type)?.[1];
  if (item !== undefined) return value.flatMap((entry, index) => unknownFields(entry, item, `${path}[${index}]`));
  const mapped = /^\{ \[key: string\]: (.+); \}$/.exec(type)?.[1];
  if (mapped !== undefined) {
    return Object.entries(value).flatMap(([key, entry]) => unknownFields(entry, mapped, `${path}.${key}`));
  }
  const attributes = kubernetes[type]?.getAttributeTypeMap?.();
  if (attributes === undefined) return type === 'any' ? [] : [`${path} (no attribute map of ${type})`];
  const types = new Map(attributes.map((attribute) => [attribute.baseName, attribute.type]));
  return Object.entries(value).flatMap(([key, entry]) => {
    const here = path === '' ? key : `${path}.${key}`;
    return types.has(key) ? unknownFields(entry, types.get(key), here) : [here];
  });
}

let input = '';
for await (const chunk of process.stdin) input += chunk;
const found = JSON.parse(input).flatMap((manifest) => {
  const name = `${manifest.kind} ${manifest.metadata.name}`;
  return unknownFields(manifest, modelName(manifest), '').map((field) => [name, field]);
});
console.log(JSON.stringify(found));
