import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS } from '../config/config.module.js';
import type { Settings } from '../config/settings.js';

/** Builds every key of the service, so that all of them share one hash slot of a cluster and one prefix of a server. */
@Injectable()
export class RedisKeys {
  private readonly prefix: string;

  constructor(@Inject(SETTINGS) settings: Pick<Settings, 'redisKeyspace'>) {
    this.prefix = `{${settings.redisKeyspace}}`;
  }

  /** `{keyspace}:part:part`; the parts are taken as they are. */
  key(...parts: string[]): string {
    return parts.length === 0 ? this.prefix : `${this.prefix}:${parts.join(':')}`;
  }
}
