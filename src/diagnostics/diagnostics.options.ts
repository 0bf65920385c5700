import type { DynamicModule, ForwardReference, Type } from '@nestjs/common';
import type { DiagnosticsSource } from './diagnostics-source.js';
import type { HeapSamplingMode } from './heap/heap-lease.js';
import type { LifeArchive } from './recorder/life-archive.js';
import type { RecorderOptions } from './recorder/recorder.options.js';

/** What a factory of `DiagnosticsModule.forRootAsync` returns. */
export interface DiagnosticsSettings {
  /** Bearer token that opens the page to other hosts. Unset or empty: requests from this machine only. */
  token?: string;
  /**
   * False asks for the token from this machine, too: for where a proxy on it passes on requests of others. Needs a token.
   * Default true.
   */
  trustLoopback?: boolean;
  /** Allows the application to listen beyond loopback without a token; other hosts are refused even then. Default false. */
  insecure?: boolean;
  /** Sections of the application. */
  sources?: readonly DiagnosticsSource[];
  /** False leaves `/metrics` to the application; `/diagnostics/metrics` answers the same. Default true. */
  metrics?: boolean;
  /** How the recorder works, and where it keeps what it wrote. */
  recorder?: RecorderOptions;
  /** `always` samples heap memory by function from the start on, for some per cent of the processor. Default: while somebody asks. */
  heapSampling?: HeapSamplingMode;
}

/** What DiagnosticsModule is made with before anything is injected. */
export interface DiagnosticsParts {
  /** Sections of the application: objects, or classes that Nest makes. */
  sources?: readonly (DiagnosticsSource | Type<DiagnosticsSource>)[];
  /** A class that Nest makes, which keeps the lives of the recorder where they outlive the machine. */
  archive?: Type<LifeArchive> | undefined;
  /** Further controllers that serve the same answers, for instance over TCP; `Diagnostics` is injectable in them. */
  controllers?: readonly Type[];
  /** Modules whose exports `sources` and `controllers` inject. */
  imports?: readonly (Type | DynamicModule | Promise<DynamicModule> | ForwardReference)[];
}

/** What `DiagnosticsModule.forRoot` takes. */
export type DiagnosticsOptions = Omit<DiagnosticsSettings, 'sources'> & DiagnosticsParts;

/** What `useClass` and `useExisting` of `DiagnosticsModule.forRootAsync` name. */
export interface DiagnosticsOptionsFactory {
  createDiagnosticsOptions(): DiagnosticsSettings | Promise<DiagnosticsSettings>;
}
