import { chmodSync, chownSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../eventually.js';
import { type HttpAnswer, httpGet } from '../http-get.js';
import { Container, type Termination } from './container.js';
import type { MemoryReading } from './memory-cgroup.js';
import type { VolumeSpec } from './container-spec.js';
import type { PodSpec } from './pod-spec.js';
import { ProbeLoop } from './probe-loop.js';

const CHECKOUT = join(__dirname, '../../..');
/** A kubelet's pauses before the second, third, … restart. The first is made at once. */
const BACK_OFF_MS = [0, 10_000, 20_000, 40_000];

/** Something that a kubelet would tell about the pod. */
export interface PodEvent {
  at: number;
  what:
    | 'Started'
    | 'Ready'
    | 'NotReady'
    | 'Unhealthy'
    | 'Killing'
    | 'PreStopFailed'
    | 'GraceExceeded'
    | 'Ended'
    | 'BackOff';
  detail: string;
}

export interface PodOptions {
  /** Variables over the manifest's: `REDIS_URL`, and what a test is about. The pod's address is set by the harness. */
  env?: Record<string, string>;
  /** Secrets that are mounted as volumes: name → key → content. */
  secrets?: Record<string, Record<string, string>>;
  /** What the image has in /app; default: this checkout with its `dist`. */
  appDirectory?: string;
  /** Default: the node that runs the tests. */
  nodeFile?: string;
}

let lastNumber = 0;

/**
 * A pod and its kubelet: runs the container of the spec, probes it, restarts it when it ends or its liveness fails, and
 * stops it as a deletion does (preStop, SIGTERM, SIGKILL after the grace period). Its volumes outlive the container and go with the pod.
 * It has the network of the machine and an address of its own in 127.0.0.0/8, so that every pod keeps the ports of its manifest.
 */
export class Pod {
  readonly name: string;
  readonly ip: string;
  readonly events: PodEvent[] = [];
  readonly env: Readonly<Record<string, string>>;
  /** How the containers before this one ended, the last one first. */
  readonly terminations: Termination[] = [];
  isReady = false;

  private container: Container | undefined;
  /** What the container before this one printed. */
  private outputBefore = '';
  private probes: ProbeLoop[] = [];
  private deletion: Promise<Termination | undefined> | undefined;
  private backOff: NodeJS.Timeout | undefined;
  private readonly directory = mkdtempSync(join(tmpdir(), 'commander-pod-'));
  private readonly readinessListeners = new Set<(isReady: boolean) => void>();

  private constructor(
    readonly spec: PodSpec,
    private readonly options: PodOptions,
  ) {
    lastNumber += 1;
    this.name = `${spec.name}-${lastNumber}`;
    const octet = () => 1 + Math.floor(Math.random() * 254);
    this.ip = `127.${64 + Math.floor(Math.random() * 128)}.${octet()}.${octet()}`;
    this.env = { ...spec.env, TCP_HOST: this.ip, HTTP_HOST: this.ip, ...options.env };
    for (const volume of spec.volumes) this.makeVolume(volume);
    this.launch();
  }

  /** Starts the container and its probes; waits for nothing. */
  static create(spec: PodSpec, options: PodOptions = {}): Pod {
    return new Pod(spec, options);
  }

  get restartCount(): number {
    return this.terminations.length;
  }

  get isTerminating(): boolean {
    return this.deletion !== undefined;
  }

  /** What the running container printed. */
  output(): string {
    return this.container?.output() ?? '';
  }

  memory(): MemoryReading {
    return this.running().memory();
  }

  /** Resolves when the readiness probe has said yes; rejects with events and output when that takes longer. */
  async ready(timeoutMs = 60_000): Promise<void> {
    try {
      await eventually(() => this.isReady, { timeoutMs, what: `${this.name} ready` });
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${this.story()}`, { cause: error });
    }
  }

  /** Calls back with every change of readiness, deletion included, until the returned function is called. */
  onReadiness(listener: (isReady: boolean) => void): () => void {
    this.readinessListeners.add(listener);
    return () => this.readinessListeners.delete(listener);
  }

  /** One request to its HTTP port, with the token of /diagnostics. */
  get(path: string, headers: Record<string, string> = {}): Promise<HttpAnswer> {
    const authorization = { Authorization: `Bearer ${this.env.DIAGNOSTICS_TOKEN}` };
    return httpGet(`http://${this.ip}:${this.spec.httpPort}${path}`, { headers: { ...authorization, ...headers } });
  }

  /** Runs a command in the container, as `kubectl exec` does. */
  exec(command: readonly string[]): Promise<string> {
    return this.running().exec(command);
  }

  /** Sends a signal to process 1 of the container. */
  signal(signal: NodeJS.Signals): void {
    this.running().signal(signal);
  }

  /** The directory of a volume on this machine. */
  volumeDirectory(name: string): string {
    return join(this.directory, name);
  }

  /** Deletes the pod as the API does; resolves with how its container ended, undefined when none ran. Idempotent. */
  delete(): Promise<Termination | undefined> {
    this.deletion ??= this.end();
    return this.deletion;
  }

  /** Events and output, for the message of a failure. */
  story(): string {
    const events = this.events.map(({ at, what, detail }) => `${new Date(at).toISOString()} ${what} ${detail}`);
    return [...events, this.outputBefore.slice(-8_000), this.output().slice(-8_000)].join('\n');
  }

  private running(): Container {
    if (this.container === undefined) throw new Error(`${this.name}: no container runs\n${this.story()}`);
    return this.container;
  }

  /** An emptyDir is open to all and of the group of the pod, also what is made in it; a Secret may be read by that group. */
  private makeVolume({ name, secretName }: VolumeSpec): void {
    const directory = this.volumeDirectory(name);
    mkdirSync(directory);
    const own = (path: string, mode: number) => {
      chownSync(path, 0, this.spec.fsGroup ?? 0);
      chmodSync(path, mode);
    };
    own(directory, secretName === undefined ? 0o2777 : 0o750);
    if (secretName === undefined) return;
    const secret = this.options.secrets?.[secretName];
    if (secret === undefined) throw new Error(`Secret ${secretName} does not exist`);
    for (const [key, content] of Object.entries(secret)) {
      writeFileSync(join(directory, key), content);
      own(join(directory, key), 0o440);
    }
  }

  private launch(): void {
    const { spec, options } = this;
    const container = Container.start({
      spec,
      name: `${this.name}-${this.restartCount}`,
      hostname: this.name,
      env: this.env,
      appDirectory: options.appDirectory ?? CHECKOUT,
      nodeFile: options.nodeFile ?? process.execPath,
      volumes: spec.volumes.map(({ name, mountPath, secretName }) => ({
        directory: this.volumeDirectory(name),
        mountPath,
        isReadOnly: secretName !== undefined,
      })),
    });
    this.container = container;
    this.tell('Started', `limit ${spec.memoryLimitBytes / 2 ** 20} MiB`);
    if (spec.startupProbe === undefined) this.probeRunning();
    else this.probeStartup();
    void container.ended.then((termination) => this.onEnded(termination));
  }

  private probeStartup(): void {
    const loop = new ProbeLoop(this.ip, this.spec.startupProbe!, (isWell, reason) => {
      loop.stop();
      if (isWell) this.probeRunning();
      else void this.killUnhealthy(`startup probe: ${reason}`);
    });
    this.probes = [loop];
  }

  private probeRunning(): void {
    const { livenessProbe, readinessProbe } = this.spec;
    this.probes = [];
    if (livenessProbe !== undefined) {
      const onChange = (isWell: boolean, reason: string) => {
        if (!isWell) void this.killUnhealthy(`liveness probe: ${reason}`);
      };
      this.probes.push(new ProbeLoop(this.ip, livenessProbe, onChange));
    }
    if (readinessProbe === undefined) this.setReady(true, 'no readiness probe');
    else this.probes.push(new ProbeLoop(this.ip, readinessProbe, (isWell, reason) => this.setReady(isWell, reason)));
  }

  private setReady(isReady: boolean, reason: string): void {
    if (this.isReady === isReady) return;
    this.isReady = isReady;
    this.tell(isReady ? 'Ready' : 'NotReady', reason);
    for (const listener of this.readinessListeners) listener(isReady);
  }

  private async killUnhealthy(reason: string): Promise<void> {
    if (this.isTerminating) return;
    this.tell('Unhealthy', reason);
    await this.stopContainer(this.running());
  }

  private onEnded(termination: Termination): void {
    this.outputBefore = this.output();
    this.container = undefined;
    for (const probe of this.probes.splice(0)) probe.stop();
    this.tell('Ended', `exit code ${termination.exitCode}, ${termination.reason}`);
    this.setReady(false, 'the container ended');
    this.terminations.unshift(termination);
    if (this.isTerminating) return;
    const pauseMs = BACK_OFF_MS[this.restartCount - 1] ?? BACK_OFF_MS.at(-1)!;
    if (pauseMs > 0) this.tell('BackOff', `${pauseMs} ms`);
    this.backOff = setTimeout(() => this.launch(), pauseMs);
  }

  private async end(): Promise<Termination | undefined> {
    clearTimeout(this.backOff);
    const { container } = this;
    if (container !== undefined) {
      this.setReady(false, 'deleted');
      await this.stopContainer(container);
      await container.ended;
    }
    for (const probe of this.probes.splice(0)) probe.stop();
    await rm(this.directory, { recursive: true, force: true });
    return container === undefined ? undefined : this.terminations[0];
  }

  /** The grace period begins with preStop, not with SIGTERM. */
  private async stopContainer(container: Container): Promise<void> {
    const { preStop, graceMs } = this.spec;
    this.tell('Killing', `grace period ${graceMs} ms`);
    const kill = setTimeout(() => {
      this.tell('GraceExceeded', `${graceMs} ms`);
      container.signal('SIGKILL');
    }, graceMs);
    if (preStop !== undefined) {
      const hook = container.exec(preStop).catch((error: Error) => this.tell('PreStopFailed', error.message));
      await Promise.race([hook, container.ended]);
    }
    container.signal('SIGTERM');
    await container.ended;
    clearTimeout(kill);
  }

  private tell(what: PodEvent['what'], detail: string): void {
    this.events.push({ at: Date.now(), what, detail });
  }
}
