import type { MessageHandler } from '@nestjs/microservices';
import type { z } from 'zod';
import type { Settings } from '../config/settings.js';
import { CommandError, type ErrorCode, type WireError } from '../contract/command-error.js';
import { commands } from '../contract/commands.js';
import type { CommandPacket } from '../contract/packet.js';
import type { InFlight } from '../lifecycle/in-flight.js';
import { type CallObserver, CommandCall, refusal } from './command-call.js';
import { CommandContext } from './command-context.js';
import type { CommanderSocket, ReceivedAt } from './commander-socket.js';
import { DeadlineWheel } from './deadline-wheel.js';
import { isDeeperThan } from './json-depth.js';
import { cut, payloadIssues } from './payload-issues.js';
import type { RateLimitedLog } from './rate-limited-log.js';
import { TokenCheck } from './token-check.js';

/** Kind of work under which commands stand in {@link InFlight}. */
export const COMMAND_IN_FLIGHT = 'command';
const MAX_ID_LENGTH = 128;
const MAX_PATTERN_SHOWN = 100;

interface Route {
  request: z.ZodType;
  handler: MessageHandler | undefined;
}

/** What the envelope of a validated request holds for us. */
interface Envelope {
  deadlineMs?: number;
  requestId?: string;
}

/**
 * From the text of a frame to its one answer.
 *
 * The gates in their order, and what a caller gets who does not pass:
 * 1. JSON, an object, an id of at most 128 characters or a number → otherwise the connection is closed (`malformed-frame`)
 * 2. has an id → an event is dropped and counted
 * 3. token, when one is set → `UNAUTHENTICATED`
 * 4. not draining → `SHUTTING_DOWN`
 * 5. fewer than `maxInFlightCommands` under way → `RATE_LIMITED`
 * 6. a pattern of the contract, with a handler → `NOT_FOUND`
 * 7. payload nested no deeper than `maxJsonDepth` → `INVALID_ARGUMENT`
 * 8. payload fits the schema → `INVALID_ARGUMENT` with `details.issues`
 * 9. the handler answers before the deadline → `DEADLINE_EXCEEDED`
 *
 * The deadline counts from the arrival of the frame: `deadlineMs` of the request, else `commandTimeoutMs`. That holds for
 * requests with `wait: true`, too: who wants to wait longer than the default says so with `deadlineMs`.
 */
export class CommandDispatcher implements CallObserver {
  isDraining = false;
  commandsCount = 0;
  eventsDroppedCount = 0;
  lateAnswersCount = 0;
  overdueHandlersCount = 0;
  readonly errorCounts: Partial<Record<ErrorCode, number>> = {};

  private readonly routes = new Map<string, Route>();
  private readonly wheel = new DeadlineWheel();
  private readonly tokenCheck: TokenCheck | undefined;

  constructor(
    private readonly settings: Settings,
    private readonly inFlight: InFlight,
    private readonly log: RateLimitedLog,
  ) {
    this.tokenCheck = settings.commanderToken === undefined ? undefined : new TokenCheck(settings.commanderToken);
  }

  /**
   * Takes over the handlers that Nest found.
   * @returns patterns that no command of the contract has: they are not served
   */
  setHandlers(handlers: ReadonlyMap<string, MessageHandler>): string[] {
    this.routes.clear();
    for (const [name, { request }] of Object.entries(commands)) {
      const handler = handlers.get(name);
      this.routes.set(name, { request, handler: handler?.isEventHandler === true ? undefined : handler });
    }
    return [...handlers.keys()].filter((pattern) => !this.routes.has(pattern));
  }

  dispatch(socket: CommanderSocket, json: string, receivedAt: ReceivedAt): void {
    let packet: CommandPacket;
    try {
      packet = JSON.parse(json) as CommandPacket;
    } catch {
      return socket.fail('malformed-frame', 'the frame is not JSON');
    }
    if (typeof packet !== 'object' || packet === null || Array.isArray(packet)) {
      return socket.fail('malformed-frame', 'the frame is not a packet');
    }
    const { id } = packet;
    if (id === undefined) {
      this.eventsDroppedCount++;
      return;
    }
    if (!isPacketId(id)) return socket.fail('malformed-frame', 'the id of the packet is not an id');
    this.commandsCount++;
    try {
      this.admit(socket, id, packet, receivedAt);
    } catch (error) {
      if (!(error instanceof CommandError)) this.logDefect('dispatch', error);
      const wire = error instanceof CommandError ? error : new CommandError('INTERNAL', 'internal error');
      this.count(wire.code);
      socket.sendJson(refusal(id, wire.toWire()));
    }
  }

  /** Answers every command that is still under way: commander stops. */
  cutAll(): void {
    for (const entry of this.wheel.entries()) {
      const call = entry as CommandCall;
      const error = new CommandError(
        'UNAVAILABLE',
        'commander stopped before the command had ended; it may have taken effect',
      );
      call.context.abort(error);
      call.giveUp(error.toWire());
    }
  }

  close(): void {
    this.wheel.close();
  }

  onAnswered(call: CommandCall, error: WireError | undefined): void {
    this.wheel.remove(call);
    call.socket.inFlightCount--;
    if (error !== undefined) this.count(error.code);
  }

  onGivenUp(): void {
    this.overdueHandlersCount++;
  }

  onLate(): void {
    this.lateAnswersCount++;
    this.overdueHandlersCount--;
  }

  onDefect(call: CommandCall, error: unknown): void {
    this.logDefect(call.context.getPattern(), error);
  }

  /** @throws CommandError when the request does not pass a gate */
  private admit(socket: CommanderSocket, id: string | number, packet: CommandPacket, receivedAt: ReceivedAt): void {
    this.authenticate(socket, packet.token);
    if (this.isDraining)
      throw new CommandError('SHUTTING_DOWN', 'this replica is draining; repeat the request on another connection');
    if (this.inFlight.count(COMMAND_IN_FLIGHT) >= this.settings.maxInFlightCommands) {
      throw new CommandError(
        'RATE_LIMITED',
        `${this.settings.maxInFlightCommands} commands are under way (MAX_IN_FLIGHT_COMMANDS)`,
      );
    }
    const { pattern } = packet;
    const route = this.route(pattern);
    const request = this.validated(route, packet.data ?? {});
    const { deadlineMs = this.settings.commandTimeoutMs, requestId } = request as Envelope;

    const context = new CommandContext([socket, pattern as string], receivedAt.epochMs + deadlineMs, requestId, socket);
    const endInFlight = this.inFlight.begin(COMMAND_IN_FLIGHT);
    const dueAt = receivedAt.monotonicMs + deadlineMs;
    const call = new CommandCall(socket, id, context, dueAt, endInFlight, this.settings.maxSendBufferBytes, this);
    socket.inFlightCount++;
    this.wheel.add(call);
    call.run(route.handler, request);
  }

  private authenticate(socket: CommanderSocket, token: unknown): void {
    if (this.tokenCheck === undefined) return;
    // Hashing costs as much as the rest of a small command; who has shown the token once on a connection has it, so
    // the time of the second comparison tells nothing new.
    if (socket.isAuthenticated && token === this.settings.commanderToken) return;
    if (this.tokenCheck.accepts(token)) {
      socket.isAuthenticated = true;
      return;
    }
    this.log.warn(
      'unauthenticated',
      `a request from ${socket.remote} had ${token === undefined ? 'no' : 'a wrong'} token`,
    );
    throw new CommandError('UNAUTHENTICATED', 'the token is missing or wrong');
  }

  private route(pattern: unknown): Route & { handler: MessageHandler } {
    if (typeof pattern !== 'string') throw new CommandError('NOT_FOUND', 'a pattern is a string');
    const route = this.routes.get(pattern);
    if (route === undefined) {
      throw new CommandError('NOT_FOUND', `there is no command ${JSON.stringify(cut(pattern, MAX_PATTERN_SHOWN))}`);
    }
    if (route.handler === undefined) throw new CommandError('NOT_FOUND', `${pattern} is not served by this version`);
    return route as Route & { handler: MessageHandler };
  }

  private validated(route: Route, data: unknown): unknown {
    const { maxJsonDepth } = this.settings;
    if (isDeeperThan(data, maxJsonDepth)) {
      throw new CommandError('INVALID_ARGUMENT', `the request is nested deeper than ${maxJsonDepth} (MAX_JSON_DEPTH)`);
    }
    const parsed = route.request.safeParse(data);
    if (parsed.success) return parsed.data;
    const issues = payloadIssues(parsed.error);
    const [first] = issues;
    const where = first.path === '' ? 'the request' : first.path;
    throw new CommandError('INVALID_ARGUMENT', `${where}: ${first.message}`, { issues });
  }

  private count(code: ErrorCode): void {
    this.errorCounts[code] = (this.errorCounts[code] ?? 0) + 1;
  }

  private logDefect(where: string, error: unknown): void {
    this.log.error('defect', `${where}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
}

function isPacketId(id: unknown): id is string | number {
  return typeof id === 'string' ? id.length <= MAX_ID_LENGTH : typeof id === 'number' && Number.isFinite(id);
}
