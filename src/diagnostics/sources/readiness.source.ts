/*
 * sources.readiness: whether this replica takes work, the same check as GET /readyz.
 *
 * field                  type    unit  source
 * status                 string  –     ok, error or shutting_down; only with ok it takes work
 * checks.<name>.status   string  –     up or down: what has to be up for that
 * checks.<name>.message  string  –     why it is down
 *
 * Cost: one PING on the one client.
 */
import { Inject, Injectable } from '@nestjs/common';
import { type HealthReport, Readiness } from '../../lifecycle/readiness.js';
import type { DiagnosticsSource } from '../diagnostics-source.js';
import { readinessMetrics } from './readiness.metrics.js';

@Injectable()
export class ReadinessSource implements DiagnosticsSource<HealthReport> {
  readonly name = 'readiness';
  readonly metrics = readinessMetrics;

  constructor(@Inject(Readiness) private readonly readiness: Readiness) {}

  read(): Promise<HealthReport> {
    return this.readiness.check();
  }
}
