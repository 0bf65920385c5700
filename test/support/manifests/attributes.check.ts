import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { Manifest } from './manifests.js';

/** Kinds that are not Kubernetes' own, so that its client has no model of them. */
const isForeign = ({ apiVersion }: Manifest) => /\.coreos\.com\//.test(apiVersion);

/** Fields that the Kubernetes client has in no attribute map: a second opinion beside the schemas, from another generator. */
export function attributesCheck(manifests: readonly Manifest[]): string[] {
  const output = execFileSync(process.execPath, [join(__dirname, 'attribute-maps.mjs')], {
    input: JSON.stringify(manifests.filter((manifest) => !isForeign(manifest))),
    encoding: 'utf8',
  });
  return (JSON.parse(output) as [string, string][]).map(([name, field]) => `${name}: unknown field ${field}`);
}
