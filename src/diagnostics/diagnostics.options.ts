import type { DynamicModule, ForwardReference, Type } from '@nestjs/common';
import type { DiagnosticsSource } from './diagnostics-source.js';

/** What DiagnosticsModule is made with. */
export interface DiagnosticsOptions {
  /** Bearer token that opens the page to other hosts. Unset or empty: requests from this machine only. */
  token?: string;
  /** Sections of the application: objects, or classes that Nest makes. */
  sources?: readonly (DiagnosticsSource | Type<DiagnosticsSource>)[];
  /** Further controllers that serve the same answers, for instance over TCP; `Diagnostics` is injectable in them. */
  controllers?: readonly Type[];
  /** Modules whose exports `sources` and `controllers` inject. */
  imports?: readonly (Type | DynamicModule | Promise<DynamicModule> | ForwardReference)[];
}
