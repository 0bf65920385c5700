import { join } from 'node:path';
import { attributesCheck } from '../support/manifests/attributes.check.js';
import { graceCheck } from '../support/manifests/grace.check.js';
import { imagesCheck } from '../support/manifests/images.check.js';
import {
  type Check,
  commanderContainer,
  commanderDeployment,
  hasKubectl,
  type Manifest,
  ofKind,
  podOf,
  renderKustomization,
} from '../support/manifests/manifests.js';
import { memoryCheck } from '../support/manifests/memory.check.js';
import { networkCheck } from '../support/manifests/network.check.js';
import { placementCheck } from '../support/manifests/placement.check.js';
import { portsCheck } from '../support/manifests/ports.check.js';
import { probesCheck } from '../support/manifests/probes.check.js';
import { quantity } from '../support/manifests/quantity.js';
import { redisTlsCheck } from '../support/manifests/redis-tls.check.js';
import { referencesCheck } from '../support/manifests/references.check.js';
import { resourcesCheck } from '../support/manifests/resources.check.js';
import { restrictedCheck } from '../support/manifests/restricted.check.js';
import { schemaCheck } from '../support/manifests/schema.check.js';
import { selectorsCheck } from '../support/manifests/selectors.check.js';
import { settingsCheck } from '../support/manifests/settings.check.js';
import manifest from '../../package.json';

const K8S = join(__dirname, '../../k8s');
const available = hasKubectl();
if (!available)
  console.warn('SKIPPED: no kubectl on this machine, so the manifests in k8s/ are not rendered and not checked.');
const describeRendered = available ? describe : describe.skip;

const CHECKS: Record<string, Check> = {
  schemaCheck,
  attributesCheck,
  selectorsCheck,
  networkCheck,
  portsCheck,
  probesCheck,
  resourcesCheck,
  memoryCheck,
  graceCheck,
  settingsCheck,
  restrictedCheck,
  imagesCheck,
};

/** A way to break the manifests, and what the check has to say about it. */
type Breakage = [title: string, check: Check, damage: (manifests: Manifest[]) => void, finding: RegExp];

const pod = (manifests: Manifest[]) => podOf(commanderDeployment(manifests)).spec!;
const settingsOf = (manifests: Manifest[]) => ofKind(manifests, 'ConfigMap')[0]!.data!;
const nodeOptions = (manifests: Manifest[]) =>
  commanderContainer(manifests).env!.find(({ name }) => name === 'NODE_OPTIONS')!;
const without = <Item>(items: Item[] | undefined, unwanted: (item: Item) => boolean) =>
  items!.splice(items!.findIndex(unwanted), 1);

const BREAKAGES: Breakage[] = [
  [
    'an unknown field',
    schemaCheck,
    (m) => Object.assign(commanderContainer(m), { livenesProbe: {} }),
    /unknown field .*livenesProbe/,
  ],
  [
    'an unknown field, for the client',
    attributesCheck,
    (m) => Object.assign(pod(m).securityContext!, { runAsNonroot: true }),
    /Deployment commander: unknown field spec.template.spec.securityContext.runAsNonroot/,
  ],
  [
    'an unknown field in a list, for the client',
    attributesCheck,
    (m) => Object.assign(ofKind(m, 'NetworkPolicy')[0]!.spec!.ingress![0]!.ports![0]!, { portt: 1 }),
    /unknown field spec.ingress\[0\].ports\[0\].portt/,
  ],
  [
    'a wrong type',
    schemaCheck,
    (m) => Object.assign(commanderDeployment(m).spec!, { replicas: 'two' }),
    /replicas must be integer/,
  ],
  [
    'a wrong quantity',
    schemaCheck,
    (m) => Object.assign(commanderContainer(m).resources!.limits!, { memory: '192MB?' }),
    /quantity/,
  ],
  [
    'a missing field',
    schemaCheck,
    (m) => delete (commanderDeployment(m).spec as Partial<object> & { selector?: unknown }).selector,
    /selector/,
  ],
  [
    'an unknown kind',
    schemaCheck,
    (m) => m.push({ apiVersion: 'v2', kind: 'Service', metadata: { name: 'x' } }),
    /no model/,
  ],
  [
    'a selector beside its pods',
    selectorsCheck,
    (m) => (commanderDeployment(m).spec!.selector.matchLabels = { app: 'x' }),
    /own pod template/,
  ],
  [
    'a Service that selects nothing',
    selectorsCheck,
    (m) => (ofKind(m, 'Service')[0]!.spec!.selector = { app: 'x' }),
    /Service .*0 Deployments/,
  ],
  [
    'a Service that selects everything',
    selectorsCheck,
    (m) => (ofKind(m, 'Service')[0]!.spec!.selector = {}),
    /Service commander/,
  ],
  [
    'a budget that selects nothing',
    selectorsCheck,
    (m) => (ofKind(m, 'PodDisruptionBudget')[0]!.spec!.selector = { matchLabels: { app: 'x' } }),
    /Budget/,
  ],
  [
    'a policy that selects nothing',
    selectorsCheck,
    (m) => (ofKind(m, 'NetworkPolicy')[0]!.spec!.podSelector = { matchLabels: { app: 'x' } }),
    /NetworkPolicy/,
  ],
  ['no policy', networkCheck, (m) => without(m, ({ kind }) => kind === 'NetworkPolicy'), /none holds back/],
  [
    'commands that everybody may send',
    networkCheck,
    (m) => delete ofKind(m, 'NetworkPolicy')[0]!.spec!.ingress![0]!.from,
    /everybody may reach commands/,
  ],
  [
    'commands from every namespace',
    networkCheck,
    (m) => (ofKind(m, 'NetworkPolicy')[0]!.spec!.ingress![0]!.from![1]!.namespaceSelector = {}),
    /everybody may reach commands/,
  ],
  [
    'commands that nobody may send',
    networkCheck,
    (m) => ofKind(m, 'NetworkPolicy')[0]!.spec!.ingress!.splice(0, 1),
    /nobody may reach commands/,
  ],
  [
    'diagnostics for the own namespace',
    networkCheck,
    (m) => ofKind(m, 'NetworkPolicy')[0]!.spec!.ingress![1]!.from!.push({ podSelector: {} }),
    /others than monitoring may reach http/,
  ],
  [
    'a probe of a port that is not there',
    portsCheck,
    (m) => (commanderContainer(m).livenessProbe!.httpGet!.port = 'metrics'),
    /livenessProbe: no port metrics/,
  ],
  [
    'a Service port that leads nowhere',
    portsCheck,
    (m) => (ofKind(m, 'Service')[0]!.spec!.ports![0]!.targetPort = 'rpc'),
    /no targetPort rpc/,
  ],
  [
    'a policy for a port that is not there',
    portsCheck,
    (m) => (ofKind(m, 'NetworkPolicy')[0]!.spec!.ingress![0]!.ports![0]!.port = 1),
    /no port 1/,
  ],
  [
    'no readiness probe',
    probesCheck,
    (m) => delete commanderContainer(m).readinessProbe,
    /readinessProbe: expected httpGet/,
  ],
  [
    'liveness that depends on Redis',
    probesCheck,
    (m) => (commanderContainer(m).livenessProbe!.httpGet!.path = '/readyz'),
    /livenessProbe: expected/,
  ],
  [
    'a tcpSocket probe',
    probesCheck,
    (m) => (commanderContainer(m).livenessProbe = { tcpSocket: { port: 'commands' } }),
    /tcpSocket probe/,
  ],
  [
    'a probe slower than its period',
    probesCheck,
    (m) => (commanderContainer(m).livenessProbe!.timeoutSeconds = 60),
    /outlast/,
  ],
  ['no memory limit', resourcesCheck, (m) => delete commanderContainer(m).resources!.limits!.memory, /no memory limit/],
  [
    'a request above its limit',
    resourcesCheck,
    (m) => (commanderContainer(m).resources!.requests!.memory = '1Gi'),
    /requests memory 1Gi, limit 192Mi/,
  ],
  ['no requests', resourcesCheck, (m) => delete commanderContainer(m).resources!.requests, /no memory request/],
  [
    'a heap above the limit',
    memoryCheck,
    (m) => (nodeOptions(m).value = '--max-old-space-size=192 --max-semi-space-size=4'),
    /at worst, limit 192Mi/,
  ],
  [
    'a heap left to V8',
    memoryCheck,
    (m) => (nodeOptions(m).value = '--max-semi-space-size=4'),
    /--max-old-space-size is missing/,
  ],
  [
    'a young generation left to V8',
    memoryCheck,
    (m) => (nodeOptions(m).value = '--max-old-space-size=96'),
    /--max-semi-space-size is missing/,
  ],
  ['more connections than fit', memoryCheck, (m) => (settingsOf(m).MAX_CONNECTIONS = '120'), /at worst, limit 192Mi/],
  [
    'frames longer than fit',
    memoryCheck,
    (m) => Object.assign(settingsOf(m), { MAX_FRAME_BYTES: '1048576', MAX_SEND_BUFFER_BYTES: '2097152' }),
    /at worst, limit 192Mi/,
  ],
  [
    'more in flight than the heap holds',
    memoryCheck,
    (m) => (settingsOf(m).MAX_IN_FLIGHT_BYTES = '100000000'),
    /old space 96 MiB, requests under way/,
  ],
  [
    'no room for the code of node beside a full heap',
    memoryCheck,
    (m) => {
      nodeOptions(m).value = '--max-old-space-size=128 --max-semi-space-size=4';
      settingsOf(m).MAX_CONNECTIONS = '8';
    },
    /206 MiB in use all the time, limit 192Mi/,
  ],
  [
    'a smaller limit',
    memoryCheck,
    (m) => (commanderContainer(m).resources!.limits!.memory = '160Mi'),
    /at worst, limit 160Mi/,
  ],
  [
    'a grace period that is too short',
    graceCheck,
    (m) => (pod(m).terminationGracePeriodSeconds = 20),
    /grace period 20000 ms/,
  ],
  [
    'a shutdown that takes longer',
    graceCheck,
    (m) => (settingsOf(m).SHUTDOWN_TIMEOUT_MS = '60000'),
    /shutdown need 70000 ms/,
  ],
  [
    'a longer preStop',
    graceCheck,
    (m) => (commanderContainer(m).lifecycle!.preStop!.exec!.command = ['sleep', '25']),
    /need 45000 ms/,
  ],
  [
    'a setting that is not in the ConfigMap',
    settingsCheck,
    (m) => delete settingsOf(m).IDLE_TIMEOUT_MS,
    /IDLE_TIMEOUT_MS is missing/,
  ],
  [
    'a variable that nobody reads',
    settingsCheck,
    (m) => (settingsOf(m).IDLE_TIMEOUT = '1'),
    /does not read IDLE_TIMEOUT$/,
  ],
  [
    'a token in the ConfigMap',
    settingsCheck,
    (m) => (settingsOf(m).COMMANDER_TOKEN = 'x'),
    /COMMANDER_TOKEN belongs into a Secret/,
  ],
  [
    'a token that is not given',
    settingsCheck,
    (m) => without(commanderContainer(m).env, ({ name }) => name === 'DIAGNOSTICS_TOKEN'),
    /DIAGNOSTICS_TOKEN/,
  ],
  [
    'a value that stops the start',
    settingsCheck,
    (m) => (settingsOf(m).MAX_AGENTS = 'many'),
    /would not start: MAX_AGENTS/,
  ],
  ['a loopback address', settingsCheck, (m) => (settingsOf(m).HTTP_HOST = '127.0.0.1'), /HTTP_HOST: the kubelet/],
  ['another port than the container has', settingsCheck, (m) => (settingsOf(m).TCP_PORT = '7971'), /TCP_PORT 7971/],
  ['a pod that may be root', restrictedCheck, (m) => delete pod(m).securityContext!.runAsNonRoot, /runAsNonRoot/],
  ['a user left to the image', restrictedCheck, (m) => delete pod(m).securityContext!.runAsUser, /runAsUser/],
  ['no seccomp profile', restrictedCheck, (m) => delete pod(m).securityContext!.seccompProfile, /seccompProfile/],
  [
    'a mounted token',
    restrictedCheck,
    (m) => (pod(m).automountServiceAccountToken = true),
    /token of the ServiceAccount/,
  ],
  ['service variables', restrictedCheck, (m) => delete pod(m).enableServiceLinks, /service variables/],
  ['the network of the host', restrictedCheck, (m) => (pod(m).hostNetwork = true), /namespace of the host/],
  [
    'a volume of the host',
    restrictedCheck,
    (m) => pod(m).volumes!.push({ name: 'x', hostPath: { path: '/' } }),
    /x is of type hostPath/,
  ],
  ['a volume without bound', restrictedCheck, (m) => (pod(m).volumes![0]!.emptyDir = {}), /no sizeLimit/],
  ['a volume in memory', restrictedCheck, (m) => (pod(m).volumes![0]!.emptyDir!.medium = 'Memory'), /is in memory/],
  [
    'privilege escalation',
    restrictedCheck,
    (m) => delete commanderContainer(m).securityContext!.allowPrivilegeEscalation,
    /allowPrivilegeEscalation/,
  ],
  [
    'a privileged container',
    restrictedCheck,
    (m) => (commanderContainer(m).securityContext!.privileged = true),
    /privileged/,
  ],
  [
    'a writable root',
    restrictedCheck,
    (m) => delete commanderContainer(m).securityContext!.readOnlyRootFilesystem,
    /writable/,
  ],
  [
    'a container that is root',
    restrictedCheck,
    (m) => (commanderContainer(m).securityContext!.runAsUser = 0),
    /may run as root/,
  ],
  [
    'kept capabilities',
    restrictedCheck,
    (m) => delete commanderContainer(m).securityContext!.capabilities,
    /not all dropped/,
  ],
  [
    'added capabilities',
    restrictedCheck,
    (m) => (commanderContainer(m).securityContext!.capabilities!.add = ['NET_ADMIN']),
    /adds/,
  ],
  [
    'a port of the host',
    restrictedCheck,
    (m) => (commanderContainer(m).ports![0]!.hostPort = 7970),
    /port of the host/,
  ],
  [
    'an account with a token',
    restrictedCheck,
    (m) => delete ofKind(m, 'ServiceAccount')[0]!.automountServiceAccountToken,
    /mounts its token/,
  ],
  [
    'an image :latest',
    imagesCheck,
    (m) => (commanderContainer(m).image = 'mu-commander:latest'),
    /changes under our feet/,
  ],
  ['an image without tag', imagesCheck, (m) => (commanderContainer(m).image = 'host:5000/mu-commander'), /has no tag/],
  [
    'no ConfigMap',
    referencesCheck,
    (m) => without(m, ({ kind }) => kind === 'ConfigMap'),
    /ConfigMap .* does not exist/,
  ],
  ['no Secret', referencesCheck, (m) => without(m, ({ kind }) => kind === 'Secret'), /Secret .* does not exist/],
  [
    'no ServiceAccount',
    referencesCheck,
    (m) => without(m, ({ kind }) => kind === 'ServiceAccount'),
    /ServiceAccount .* does not exist/,
  ],
];

/** What only overlay production has to be. */
const PRODUCTION_BREAKAGES: Breakage[] = [
  ['one replica', placementCheck, (m) => (commanderDeployment(m).spec!.replicas = 1), /1 replica, expected 2/],
  ['no spread', placementCheck, (m) => delete pod(m).topologySpreadConstraints, /all replicas may run on one node/],
  [
    'a spread that is a wish',
    placementCheck,
    (m) => (pod(m).topologySpreadConstraints![0]!.whenUnsatisfiable = 'ScheduleAnyway'),
    /all replicas may run on one node/,
  ],
  [
    'a spread of other pods',
    placementCheck,
    (m) => (pod(m).topologySpreadConstraints![0]!.labelSelector = { matchLabels: { app: 'x' } }),
    /are other pods/,
  ],
  [
    'no budget',
    placementCheck,
    (m) => without(m, ({ kind }) => kind === 'PodDisruptionBudget'),
    /all replicas may be evicted at once/,
  ],
  [
    'a budget of none',
    placementCheck,
    (m) => (ofKind(m, 'PodDisruptionBudget')[0]!.spec!.maxUnavailable = 0),
    /can ever be drained/,
  ],
  [
    'an update with a gap',
    placementCheck,
    (m) => (commanderDeployment(m).spec!.strategy!.rollingUpdate!.maxUnavailable = 1),
    /takes replicas away first/,
  ],
  ['a CA that is not named', redisTlsCheck, (m) => (settingsOf(m).REDIS_TLS_CA_FILE = ''), /not named/],
  [
    'a CA that is not mounted',
    redisTlsCheck,
    (m) => without(commanderContainer(m).volumeMounts, ({ name }) => name === 'redis-tls'),
    /no Secret is mounted/,
  ],
  [
    'a Redis without TLS',
    redisTlsCheck,
    (m) =>
      Object.assign(
        commanderContainer(m).env!.find(({ name }) => name === 'REDIS_URL')!,
        {
          value: 'redis://redis:6379',
        },
      ),
    /not over TLS/,
  ],
];

const OVERLAYS = ['dev', 'production', 'small'] as const;

describeRendered('k8s', () => {
  const render = (directory: string) => (available ? renderKustomization(join(K8S, directory)) : []);
  const rendered = {
    base: render('base'),
    dev: render('overlays/dev'),
    production: render('overlays/production'),
    small: render('overlays/small'),
  };

  describe.each(Object.entries(rendered))('%s', (_name, manifests) => {
    it.each(Object.entries(CHECKS))('passes %s', (_check, check) => {
      expect(check(manifests)).toEqual([]);
    });

    it('names the image by the version of the package', () => {
      expect(commanderContainer(manifests).image).toBe(`mu-commander:${manifest.version}`);
    });

    it('serves commands only', () => {
      const service = ofKind(manifests, 'Service').find(({ metadata }) => metadata.name === 'commander');
      expect(service?.spec?.ports).toEqual([{ name: 'commands', port: 7970, targetPort: 'commands', protocol: 'TCP' }]);
    });

    it('labels what belongs to commander', () => {
      for (const { kind, metadata } of manifests.filter(({ kind }) => !['Namespace', 'Secret'].includes(kind))) {
        expect({ kind, labels: metadata.labels }).toMatchObject({
          labels: { 'app.kubernetes.io/part-of': 'mu-commander' },
        });
      }
    });
  });

  describe('overlay dev', () => {
    it('needs nothing that it does not bring', () => {
      expect(referencesCheck(rendered.dev)).toEqual([]);
      const { namespace } = commanderDeployment(rendered.dev).metadata;
      expect(rendered.dev.find(({ kind }) => kind === 'Namespace')?.metadata.name).toBe(namespace);
    });

    it('runs one replica beside the Redis that its Secret names', () => {
      expect(commanderDeployment(rendered.dev).spec?.replicas).toBe(1);
      const secret = ofKind(rendered.dev, 'Secret')[0]!;
      const url = new URL(Buffer.from(secret.data!.REDIS_URL!, 'base64').toString());
      const redis = ofKind(rendered.dev, 'Service').find(({ metadata }) => metadata.name === url.hostname);
      expect(redis?.spec?.ports?.map(({ port }) => port)).toEqual([Number(url.port)]);
    });
  });

  describe('overlay production', () => {
    it.each(Object.entries({ placementCheck, redisTlsCheck }))('passes %s', (_name, check) => {
      expect(check(rendered.production)).toEqual([]);
    });

    it('needs the Secrets that its first lines name, and nothing else', () => {
      expect(referencesCheck(rendered.production)).toEqual([
        'commander: Secret commander/commander-redis-tls does not exist',
        'commander: Secret commander/commander does not exist',
      ]);
    });

    it.each(PRODUCTION_BREAKAGES)('is noticed with %s', (_title, check, damage, finding) => {
      const broken = structuredClone(rendered.production);
      damage(broken);
      expect(check(broken).join('\n')).toMatch(finding);
    });
  });

  describe('overlay small', () => {
    it('needs its Secret, and nothing else', () => {
      expect(referencesCheck(rendered.small)).toEqual(['commander: Secret commander/commander does not exist']);
    });

    it('has the smallest limit of all', () => {
      const limits = OVERLAYS.map((name) => quantity(commanderContainer(rendered[name]).resources!.limits!.memory!));
      expect(quantity(commanderContainer(rendered.small).resources!.limits!.memory!)).toBe(Math.min(...limits));
    });
  });

  it.each(OVERLAYS)('overlay %s makes its namespace, which enforces the strictest Pod Security profile', (name) => {
    const namespace = rendered[name].find(({ kind }) => kind === 'Namespace')!;
    expect(namespace.metadata.name).toBe(commanderDeployment(rendered[name]).metadata.namespace);
    expect(namespace.metadata.labels).toMatchObject({
      'pod-security.kubernetes.io/enforce': 'restricted',
      'pod-security.kubernetes.io/warn': 'restricted',
    });
  });

  it('leaves the Secret of base to its owner', () => {
    expect(ofKind(rendered.base, 'Secret')).toEqual([]);
    expect(referencesCheck(rendered.base)).toEqual(['commander: Secret /commander does not exist']);
  });

  describe('each check notices', () => {
    it.each(BREAKAGES)('%s', (_title, check, damage, finding) => {
      const broken = structuredClone(rendered.dev);
      damage(broken);
      expect(check(rendered.dev)).toEqual([]);
      expect(check(broken).join('\n')).toMatch(finding);
    });
  });
});
