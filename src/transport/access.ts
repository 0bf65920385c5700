import { readFile } from 'node:fs/promises';
import { Inject, Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { SETTINGS } from '../config/config.module.js';
import { readSettingsFile } from '../config/settings-file.js';
import type { Settings } from '../config/settings.js';
import { WatchedFiles } from '../config/watched-files.js';
import { agentOwnCommands } from '../contract/agent.schema.js';
import { CommandError } from '../contract/command-error.js';
import { type Grant, unlimitedGrant } from './grant.js';
import { TokenGrants } from './token-grants.js';
import { parseTokens } from './tokens-file.js';

/** A connection, as far as the question is who speaks on it. */
export interface Speaker {
  /** What the token that it showed last opens. */
  shown: { readonly token: string; readonly grant: Grant; readonly grants: TokenGrants } | undefined;
  /** Names in the certificate that it has proved; empty without one. */
  certificateNames(): ReadonlySet<string>;
}

/**
 * Who may send which command. COMMANDER_TOKEN opens everything; the tokens of COMMANDER_TOKENS_FILE open what stands beside
 * them, and are read anew when the file changes. A file that cannot be read any more changes nothing: the tokens known stay
 * in force. With AGENT_IDENTITY=certificate an agent speaks for the ids that its certificate names, whatever its token.
 */
@Injectable()
export class Access implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(Access.name);
  private grants: TokenGrants;
  private files: WatchedFiles | undefined;

  constructor(@Inject(SETTINGS) private readonly settings: Settings) {
    this.grants = new TokenGrants(settings.commanderToken);
  }

  /** Whether every request must carry a token. */
  get isTokenAsked(): boolean {
    return this.settings.commanderToken !== undefined || this.settings.commanderTokensFile !== undefined;
  }

  /** @throws SettingsError when the file of tokens cannot be used */
  async onModuleInit(): Promise<void> {
    const { commanderTokensFile: path, fileCheckEveryMs } = this.settings;
    if (path === undefined) return;
    const json = await readSettingsFile('COMMANDER_TOKENS_FILE', path, 'a JSON file');
    this.use(path, String(json));
    this.files = new WatchedFiles([path], fileCheckEveryMs, () => void this.renew(path));
  }

  onApplicationShutdown(): void {
    this.files?.close();
  }

  /** @throws CommandError UNAUTHENTICATED */
  authenticate(speaker: Speaker, token: unknown): Grant {
    if (!this.isTokenAsked) return unlimitedGrant;
    const { shown } = speaker;
    // Hashing costs as much as the rest of a small command; who has shown the token once on a connection has it, so the
    // time of the second comparison tells nothing new. After a renewal everybody shows it again.
    if (shown?.grants === this.grants && shown.token === token) return shown.grant;
    const grant = this.grants.find(token);
    if (grant === undefined) {
      // What it showed before the renewal may be revoked. Whoever still has a token that is not shows it with the next request.
      if (shown !== undefined && shown.grants !== this.grants) speaker.shown = undefined;
      throw new CommandError('UNAUTHENTICATED', 'the token is missing or wrong');
    }
    speaker.shown = { token: token as string, grant, grants: this.grants };
    return grant;
  }

  /**
   * @param request validated
   * @throws CommandError FORBIDDEN
   */
  authorize(speaker: Speaker, grant: Grant, pattern: string, request: { namespace?: string; agentId?: string }): void {
    if (grant !== unlimitedGrant) grant.assertPermits(pattern, request);
    if (this.settings.agentIdentity !== 'certificate' || !agentOwnCommands.includes(pattern)) return;
    if (speaker.certificateNames().has(request.agentId ?? '')) return;
    throw new CommandError('FORBIDDEN', `the certificate of this connection does not name agent ${request.agentId}`);
  }

  private async renew(path: string): Promise<void> {
    try {
      this.use(path, await readFile(path, 'utf8'));
      this.logger.log('COMMANDER_TOKENS_FILE has changed: its tokens are in force');
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.logger.error(`the tokens known before stay in force: ${reason}`);
    }
  }

  private use(path: string, json: string): void {
    this.grants = new TokenGrants(this.settings.commanderToken, parseTokens(path, json));
  }
}
