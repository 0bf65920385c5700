import { commanderContainer, commanderDeployment, type Manifest, ofKind, podOf } from './manifests.js';
import { selects } from './selectors.check.js';

interface Peer {
  namespaceSelector?: { matchLabels?: Record<string, string> };
  podSelector?: unknown;
  ipBlock?: unknown;
}

/** Who may reach commander: commands come from chosen namespaces, diagnostics from the namespace of monitoring alone. */
export function networkCheck(manifests: readonly Manifest[]): string[] {
  const labels = (podOf(commanderDeployment(manifests)).metadata?.labels ?? {}) as Record<string, string>;
  const policies = ofKind(manifests, 'NetworkPolicy').filter(
    ({ spec }) => spec?.policyTypes?.includes('Ingress') && selects(spec.podSelector.matchLabels, labels),
  );
  if (policies.length === 0) return ['NetworkPolicy: none holds back what reaches commander'];
  const rules = policies.flatMap(({ spec }) => spec?.ingress ?? []);
  return (commanderContainer(manifests).ports ?? []).flatMap(({ name, containerPort }) => {
    const ofPort = rules.filter(
      ({ ports }) => ports === undefined || ports.some(({ port }) => port === name || port === containerPort),
    );
    const peers = ofPort.flatMap(({ from }): (Peer | 'everybody')[] =>
      from === undefined || from.length === 0 ? ['everybody'] : (from as Peer[]),
    );
    if (peers.length === 0) return [`NetworkPolicy: nobody may reach ${name}`];
    if (!peers.every(isChosen)) return [`NetworkPolicy: everybody may reach ${name}`];
    const strangers = name === 'http' && !peers.every((peer) => isMonitoring(peer as Peer));
    return strangers ? ['NetworkPolicy: others than monitoring may reach http'] : [];
  });
}

function isChosen(peer: Peer | 'everybody'): boolean {
  if (peer === 'everybody') return false;
  const { namespaceSelector, ipBlock } = peer;
  // A selector without a label selects every namespace; no selector means this one.
  const isOpen = namespaceSelector !== undefined && Object.keys(namespaceSelector.matchLabels ?? {}).length === 0;
  return !isOpen && ipBlock === undefined;
}

function isMonitoring({ namespaceSelector }: Peer): boolean {
  return namespaceSelector?.matchLabels?.['kubernetes.io/metadata.name'] === 'monitoring';
}
