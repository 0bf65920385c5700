import { hostname } from 'node:os';
import type { ConnectionOptions, TlsOptions } from 'node:tls';
import { z } from 'zod';
import { MAX_LABELS } from '../contract/agent.schema.js';
import { idSchema, smallRecord } from '../contract/common.schema.js';
import { isLoopback } from './loopback.js';

const durationMs = (min: number, max: number) => z.int().min(min).max(max);

const optionsSchema = z.strictObject({
  commander: z
    .strictObject({
      host: z.string().min(1).max(253).default('127.0.0.1'),
      port: z.int().min(1).max(65_535).default(7970),
      /** `COMMANDER_TOKEN` of the service, or one of its tokens for agents. */
      token: z.string().min(1).max(512).optional(),
      /** TLS to commander: what `tls.connect` takes. */
      tls: z.custom<ConnectionOptions>((value) => typeof value === 'object' && value !== null).optional(),
    })
    .prefault({}),
  /** What commander must show in return: its `AGENT_TOKEN`. Default: `commander.token`. */
  agentToken: z.string().min(1).max(512).optional(),
  /** Serve commander over TLS (`AGENT_TLS=true` there): what `tls.createServer` takes. */
  listenTls: z.custom<TlsOptions>((value) => typeof value === 'object' && value !== null).optional(),
  /**
   * A secret, the same for every process of this agent id. With it nobody else who may talk to commander can register under
   * the id, send heartbeats for it or deregister it.
   */
  identityKey: z.string().min(16).max(256).optional(),
  /** Default: host name and process id, new with each start. */
  agentId: idSchema.default(defaultAgentId),
  listenHost: z.string().min(1).max(253).default('127.0.0.1'),
  /** 0: a free one. */
  listenPort: z.int().min(0).max(65_535).default(0),
  /** Where commander dials. Default: `listenHost`, or when that is every interface the own address on the connection to commander. */
  advertiseHost: z.string().min(1).max(253).optional(),
  labels: smallRecord(idSchema, z.string().max(128), MAX_LABELS).default({}),
  /** Runs at once. */
  capacity: z.int().min(1).max(10_000).default(10),
  version: z.string().max(64).default('0.0.0'),
  namespace: idSchema.default('default'),
  /** How long runs under way may finish after SIGTERM. */
  drainTimeoutMs: durationMs(0, 600_000).default(10_000),
  /** How long closing the listener, and then the connection to commander, may take. */
  closeTimeoutMs: durationMs(1, 60_000).default(1_000),
  /** How long one attempt to reach commander may take. */
  connectTimeoutMs: durationMs(1, 60_000).default(2_000),
  /** Longest request from commander, in UTF-16 code units. */
  maxFrameChars: z.int().min(1_024).max(134_217_728).default(4_194_304),
  /** Longest result, as JSON; a longer one fails its run here instead of travelling in vain. The default is commander's `MAX_RESULT_BYTES`. */
  maxResultBytes: z.int().min(1_024).max(134_217_728).default(98_304),
  /** Listens beyond loopback although nobody has to show who he is: whoever reaches the port can have the jobs of this agent executed. */
  insecureBind: z.boolean().default(false),
});

/** An agent that would execute its jobs for whoever reaches it does not fit; commander refuses the same of itself. */
export const commanderAgentOptionsSchema = optionsSchema.refine(
  ({ listenHost, agentToken, commander, listenTls, insecureBind }) =>
    insecureBind || isLoopback(listenHost) || Boolean(agentToken ?? commander.token) || asksForCertificate(listenTls),
  {
    path: ['listenHost'],
    message:
      'expected a loopback address, or agentToken or commander.token set, or listenTls with ca and requestCert, or insecureBind: true',
  },
);

/** Without `ca` a certificate of any public authority would do. */
function asksForCertificate(tls: TlsOptions | undefined): boolean {
  return tls?.requestCert === true && tls.rejectUnauthorized !== false && tls.ca !== undefined;
}

/** What `CommanderAgentModule.forRoot` takes; everything has a default. */
export type CommanderAgentOptions = z.input<typeof commanderAgentOptionsSchema>;
export type CommanderAgentSettings = z.output<typeof commanderAgentOptionsSchema>;

/** Injection token of {@link CommanderAgentOptions}. */
export const COMMANDER_AGENT_OPTIONS = Symbol('COMMANDER_AGENT_OPTIONS');

function defaultAgentId(): string {
  const host = hostname()
    .replace(/[^A-Za-z0-9._-]/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 100);
  return `${host || 'agent'}-${process.pid}`;
}
