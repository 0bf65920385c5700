import { checkServerIdentity, type ConnectionOptions, createSecureContext, type PeerCertificate } from 'node:tls';
import { Inject, Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { SETTINGS } from '../config/config.module.js';
import { readTlsMaterial } from '../config/settings-file.js';
import { type Settings, SettingsError } from '../config/settings.js';
import { WatchedFiles } from '../config/watched-files.js';

/** TLS to agents: what commander shows, and how it knows that it talks to the agent that it wanted. */
@Injectable()
export class AgentTls implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger('Agents');
  private context: ConnectionOptions = {};
  private files: WatchedFiles | undefined;

  constructor(@Inject(SETTINGS) private readonly settings: Settings) {}

  /** @throws SettingsError when a file cannot be used */
  async onModuleInit(): Promise<void> {
    const { agentTls, agentTlsCaFile, agentTlsCertFile, agentTlsKeyFile, fileCheckEveryMs } = this.settings;
    if (!agentTls) return;
    await this.load();
    const paths = [agentTlsCaFile, agentTlsCertFile, agentTlsKeyFile];
    this.files = new WatchedFiles(paths, fileCheckEveryMs, () => void this.renew());
  }

  onApplicationShutdown(): void {
    this.files?.close();
  }

  /** What to dial an agent with; undefined: plain TCP. */
  optionsFor(agentId: string): ConnectionOptions | undefined {
    if (!this.settings.agentTls) return undefined;
    return { ...this.context, minVersion: 'TLSv1.2', checkServerIdentity: identityCheck(agentId) };
  }

  private async load(): Promise<void> {
    const { agentTlsCaFile, agentTlsCertFile, agentTlsKeyFile } = this.settings;
    const { ca, cert, key } = await readTlsMaterial(
      { ca: 'AGENT_TLS_CA_FILE', cert: 'AGENT_TLS_CERT_FILE', key: 'AGENT_TLS_KEY_FILE' },
      { ca: agentTlsCaFile, cert: agentTlsCertFile, key: agentTlsKeyFile },
    );
    try {
      this.context = { secureContext: createSecureContext({ ca, cert, key }) };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new SettingsError(`AGENT_TLS_…_FILE: expected PEM files that belong together (${reason})`);
    }
  }

  private async renew(): Promise<void> {
    try {
      await this.load();
      this.logger.log('the certificate for agents was renewed');
    } catch (error) {
      this.logger.error(`the certificate known before stays in use: ${(error as Error).message}`);
    }
  }
}

/** A certificate must name the host that was dialled, as everywhere, or the id of the agent: pods have no lasting names. */
function identityCheck(agentId: string) {
  return (host: string, certificate: PeerCertificate): Error | undefined => {
    const error = checkServerIdentity(host, certificate);
    return error === undefined ? undefined : checkServerIdentity(agentId, certificate) && error;
  };
}
