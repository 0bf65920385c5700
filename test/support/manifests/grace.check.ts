import { commanderContainer, commanderDeployment, type Manifest, podOf } from './manifests.js';
import { podSettings } from './pod-settings.js';

/** What the kubelet may need beside preStop and the process's own deadline before it would send SIGKILL. */
const RESERVE_MS = 5_000;

/** The grace period covers preStop and SHUTDOWN_TIMEOUT_MS: nothing is killed that is still draining within its rights. */
export function graceCheck(manifests: readonly Manifest[]): string[] {
  const graceMs = (podOf(commanderDeployment(manifests)).spec?.terminationGracePeriodSeconds ?? 30) * 1000;
  const { shutdownTimeoutMs } = podSettings(manifests);
  const neededMs = preStopMs(manifests) + shutdownTimeoutMs + RESERVE_MS;
  return graceMs >= neededMs ? [] : [`grace period ${graceMs} ms, preStop and shutdown need ${neededMs} ms`];
}

function preStopMs(manifests: readonly Manifest[]): number {
  const preStop = commanderContainer(manifests).lifecycle?.preStop;
  if (preStop === undefined) return 0;
  const [program, seconds] = preStop.exec?.command ?? [];
  if (program !== 'sleep' || !/^\d+$/.test(seconds ?? '')) throw new Error('preStop: expected sleep and whole seconds');
  return Number(seconds) * 1000;
}
