import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Manifest, renderKustomization } from './manifests.js';

const K8S = join(__dirname, '../../../k8s');

/** Renders an overlay with a component that it does not name itself, as an overlay of somebody else's would. */
export function renderWithComponent(overlay: string, component: string): Manifest[] {
  const directory = mkdtempSync(join(tmpdir(), 'commander-overlay-'));
  try {
    cpSync(K8S, directory, { recursive: true });
    const own = join(directory, 'overlays/own');
    mkdirSync(own);
    const kustomization = {
      apiVersion: 'kustomize.config.k8s.io/v1beta1',
      kind: 'Kustomization',
      // Those of the overlay, so that what the component adds is in its namespace.
      namespace: overlay === 'dev' ? 'commander-dev' : 'commander',
      resources: [`../${overlay}`],
      components: [`../../components/${component}`],
    };
    writeFileSync(join(own, 'kustomization.yaml'), JSON.stringify(kustomization));
    return renderKustomization(own);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
