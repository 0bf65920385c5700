import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { SETTINGS } from '../config/config.module.js';
import type { Settings } from '../config/settings.js';
import { WatchedFiles } from '../config/watched-files.js';
import { CommanderServer } from './commander-server.js';
import { tcpTlsOptions } from './tcp-tls.js';

/**
 * Puts a new certificate, key or CA into use when their files change: connections that are open stay, new ones get the
 * new one. Files that do not belong together (one of them is not written yet) change nothing, until the next one comes.
 */
@Injectable()
export class TcpTlsRenewal implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(TcpTlsRenewal.name);
  private files: WatchedFiles | undefined;

  constructor(
    @Inject(SETTINGS) private readonly settings: Settings,
    private readonly server: CommanderServer,
  ) {}

  onApplicationBootstrap(): void {
    const { tcpTlsCertFile, tcpTlsKeyFile, tcpTlsClientCaFile, fileCheckEveryMs } = this.settings;
    const paths = [tcpTlsCertFile, tcpTlsKeyFile, tcpTlsClientCaFile];
    this.files = new WatchedFiles(paths, fileCheckEveryMs, () => void this.renew());
  }

  onApplicationShutdown(): void {
    this.files?.close();
  }

  private async renew(): Promise<void> {
    try {
      const options = await tcpTlsOptions(this.settings);
      if (options !== undefined) this.server.renewTls(options);
      this.logger.log('the certificate of commands was renewed');
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.logger.error(`the certificate known before stays in use: ${reason}`);
    }
  }
}
