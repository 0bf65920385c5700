import { sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type GroupOrigin, KEPT_FRAMES } from './group-origin.js';
import { parseFrame, type TextFrame } from './parse-stack.js';
import type { CodeLocation, CodeLocations } from './code-locations.js';

const INJECTOR = `${sep}@nestjs${sep}core${sep}injector${sep}`;

/** Loaded from a source that is no JavaScript: a loader (jest, ts-node, tsx) compiled it in memory, and has the map. */
const COMPILED_IN_MEMORY = /\.[cm]?tsx?$/;

/** Enough for most: what a capture costs grows with the frames it takes. */
const LEAST_DEPTH = 10;

const takeSites = (_error: Error, sites: NodeJS.CallSite[]): NodeJS.CallSite[] => sites;

type StackFunction = (...args: never[]) => unknown;

/** How far the stacks of a kind have to be walked: most kinds are made in one way over and over. */
export class StackReach {
  /** Frames taken at first. One less with every stack that needed fewer, so that two ways in turns are not walked twice each. */
  depth = LEAST_DEPTH;

  needed(depth: number): void {
    this.depth = Math.max(LEAST_DEPTH, depth, this.depth - 1);
  }
}

/** Takes the stack of the running call apart, at once: an unread stack would keep every receiver on it alive. */
export class StackCapture {
  /** Name of the Nest provider whose constructor or factory is running, kept by the hook on the injector. */
  currentProvider: string | null = null;

  /** @param isMapped whether stacks as text name the sources of any file, not only of those that are TypeScript by name */
  constructor(
    private readonly locations: CodeLocations,
    private readonly isMapped = false,
  ) {}

  /**
   * The origin of a resource being created now. Undefined when the tables of files or locations are full.
   * @param depth frames to walk; a socket opened through `fetch` has its user 33 frames up
   * @param above a function of the ledger on the stack: it and what it called are left out
   * @param reach of the kind; brought up to date
   */
  capture(depth: number, above: StackFunction, reach: StackReach): GroupOrigin | undefined {
    const near = reach.depth < depth ? this.fold(reach.depth, above, reach, true) : null;
    return near === null ? (this.fold(depth, above, reach, false) ?? undefined) : near;
  }

  /** @returns null where the stack goes on, what is above might belong to the origin, and `isFirst` */
  private fold(
    depth: number,
    above: StackFunction,
    reach: StackReach,
    isFirst: boolean,
  ): GroupOrigin | undefined | null {
    const sites = structuredStack(depth, above);
    const libraryFrames: CodeLocation[] = [];
    const userFrames: CodeLocation[] = [];
    let throughInjector = false;
    let text: (TextFrame | null)[] | undefined;
    let index = 0;
    let isWhole = sites.length < depth;
    for (; index < sites.length; index++) {
      const callSite = sites[index];
      const file = this.locations.fileOf(callSite);
      if (!file) return undefined;
      if (file.owner === 'hidden') continue;
      if (userFrames.length === 0 && file.owner === 'library') {
        throughInjector ||= file.path.includes(INJECTOR);
        if (libraryFrames.length >= KEPT_FRAMES.library) continue;
      }
      const location = this.locations.locate(file, callSite);
      if (!location) return undefined;
      if (location.original === undefined && (this.isMapped || COMPILED_IN_MEMORY.test(file.path))) {
        text ??= textStack(depth, above);
        location.original = placeOf(text[index]);
      }
      if (userFrames.length > 0 || file.owner === 'user') {
        userFrames.push(location);
        if (userFrames.length >= KEPT_FRAMES.user || libraryFrames.length + userFrames.length >= KEPT_FRAMES.total) {
          isWhole = true;
          break;
        }
      } else libraryFrames.push(location);
    }
    if (isFirst && !isWhole) return null;
    // One more tells that the stack ends there.
    reach.needed(index + 1);
    const provider = throughInjector ? this.currentProvider : null;
    return {
      frames: [...libraryFrames, ...userFrames],
      // Above the injector stands the bootstrap of the application, which made everything and so names nothing.
      site: provider === null ? (userFrames[0] ?? null) : null,
      provider,
    };
  }

  /** The origin of a resource whose stack exists as text only. */
  fromText(frames: readonly TextFrame[]): GroupOrigin | undefined {
    const kept: CodeLocation[] = [];
    for (const frame of frames) {
      const location = this.locations.locateText(frame.file, frame.line, frame.column, frame.functionName);
      if (!location) return undefined;
      if (location.file.owner !== 'hidden' && kept.length < KEPT_FRAMES.total) kept.push(location);
    }
    return { frames: kept, site: kept.find(({ file }) => file.owner === 'user') ?? null, provider: null };
  }
}

/** The same stack as whoever compiled it prints it, mapped; index by index. Once per location: it is slow. */
function textStack(depth: number, above: StackFunction): (TextFrame | null)[] {
  const { stackTraceLimit } = Error;
  try {
    Error.stackTraceLimit = depth;
    const error = new Error('position');
    Error.captureStackTrace(error, above);
    return (error.stack ?? '').split('\n').slice(1).map(parseFrame);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

function placeOf(frame: TextFrame | null | undefined): CodeLocation['original'] {
  if (!frame) return null;
  const { file, line, column } = frame;
  return { path: file.startsWith('file:') ? fileURLToPath(file) : file, line, column };
}

/** @throws whatever a frozen or foreign `Error` throws; callers run under the guard of their hook */
function structuredStack(depth: number, above: StackFunction): NodeJS.CallSite[] {
  const { prepareStackTrace, stackTraceLimit } = Error;
  const holder: { stack?: unknown } = {};
  try {
    Error.stackTraceLimit = depth;
    Error.prepareStackTrace = takeSites;
    Error.captureStackTrace(holder, above);
    return Array.isArray(holder.stack) ? (holder.stack as NodeJS.CallSite[]) : [];
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
    Error.stackTraceLimit = stackTraceLimit;
  }
}
