import type { MessageHandler } from '@nestjs/microservices';
import type { z } from 'zod';
import type { Settings } from '../config/settings.js';
import { CommandError, type ErrorCode, type WireError } from '../contract/command-error.js';
import { type CommandName, commands, longReplies } from '../contract/commands.js';
import type { CommandPacket } from '../contract/packet.js';
import { countWork } from '../ledger/index.js';
import type { InFlight } from '../lifecycle/in-flight.js';
import type { Access } from './access.js';
import { type CallObserver, CommandCall, refusal } from './command-call.js';
import { CommandContext } from './command-context.js';
import type { CommanderSocket, ReceivedAt } from './commander-socket.js';
import { DeadlineWheel } from '../deadlines/deadline-wheel.js';
import type { Grant } from './grant.js';
import { isDeeperThan } from './json-depth.js';
import { jsonWeightBytes } from './json-weight.js';
import { cut, payloadIssues } from './payload-issues.js';
import type { RateLimitedLog } from './rate-limited-log.js';
import { ReplyTurns } from './reply-turns.js';
import { RequestBudget } from './request-budget.js';

/** Kind of work under which commands stand in {@link InFlight}. */
export const COMMAND_IN_FLIGHT = 'command';
const MAX_ID_LENGTH = 128;
const MAX_PATTERN_SHOWN = 100;
/** Replies of the longest kind that are made at the same time, over all connections. */
const PAGES_AT_ONCE = 8;

interface Route {
  request: z.ZodType;
  handler: MessageHandler | undefined;
  /** What a reply may hold at most; 0: little. */
  replyBytes: number;
}

/** What the envelope of a validated request holds for us. */
interface Envelope {
  deadlineMs?: number;
  requestId?: string;
  namespace?: string;
  agentId?: string;
}

/**
 * From the text of a frame to its one answer.
 *
 * The gates in their order, and what a caller gets who does not pass:
 * 1. JSON, an object, an id of at most 128 characters or a number → otherwise the connection is closed (`malformed-frame`)
 * 2. has an id → an event is dropped and counted
 * 3. token, when one is set → `UNAUTHENTICATED`
 * 4. not draining → `SHUTTING_DOWN`
 * 5. a pattern of the contract, with a handler → `NOT_FOUND`
 * 6. payload nested no deeper than `maxJsonDepth` → `INVALID_ARGUMENT`
 * 7. room for it in the {@link RequestBudget} → `RATE_LIMITED`
 * 8. payload fits the schema → `INVALID_ARGUMENT` with `details.issues`
 * 9. the token is for this command, namespace and agent → `FORBIDDEN`
 * 10. its turn comes, if its reply may be long ({@link ReplyTurns}), before the deadline → `DEADLINE_EXCEEDED`
 * 11. the handler answers before the deadline → `DEADLINE_EXCEEDED`
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
  private readonly budget: RequestBudget;
  private readonly replyTurns: ReplyTurns;

  constructor(
    private readonly settings: Settings,
    private readonly inFlight: InFlight,
    private readonly access: Access,
    private readonly log: RateLimitedLog,
  ) {
    this.replyTurns = new ReplyTurns(PAGES_AT_ONCE * settings.maxSendBufferBytes);
    this.budget = new RequestBudget(settings.maxInFlightCommands, settings.maxInFlightBytes);
  }

  /**
   * Takes over the handlers that Nest found.
   * @returns patterns that no command of the contract has: they are not served
   */
  setHandlers(handlers: ReadonlyMap<string, MessageHandler>): string[] {
    this.routes.clear();
    for (const [name, { request }] of Object.entries(commands)) {
      const handler = handlers.get(name);
      this.routes.set(name, {
        request,
        handler: handler?.isEventHandler === true ? undefined : handler,
        replyBytes: this.replyBytesOf(name as CommandName),
      });
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

  /** Heap that requests under way hold now. */
  get inFlightBytes(): number {
    return this.budget.takenBytes;
  }

  close(): void {
    this.wheel.close();
  }

  onAnswered(call: CommandCall, error: WireError | undefined): void {
    this.wheel.remove(call);
    this.budget.giveBackPlace(call.socket);
    countWork('command');
    if (error !== undefined) this.count(error.code);
  }

  onGivenUp(): void {
    this.overdueHandlersCount++;
  }

  onLate(): void {
    this.lateAnswersCount++;
    this.overdueHandlersCount--;
  }

  onOver(call: CommandCall, hasStarted: boolean): void {
    this.budget.giveBackBytes(call.socket, call.bounds.heldBytes);
    if (hasStarted && call.replyBytes > 0) this.replyTurns.giveBack(call.replyBytes);
  }

  /** The connection takes replies again. */
  onUnblocked(): void {
    this.replyTurns.pump();
  }

  /** The connection is closed: nothing more is begun for it. */
  onGone(socket: CommanderSocket): void {
    for (const call of this.replyTurns.forget(socket)) (call as CommandCall).drop();
  }

  onDefect(call: CommandCall, error: unknown): void {
    this.logDefect(call.context.getPattern(), error);
  }

  /** @throws CommandError when the request does not pass a gate */
  private admit(socket: CommanderSocket, id: string | number, packet: CommandPacket, receivedAt: ReceivedAt): void {
    const grant = this.authenticate(socket, packet.token);
    if (this.isDraining)
      throw new CommandError('SHUTTING_DOWN', 'this replica is draining; repeat the request on another connection');
    const { pattern } = packet;
    const route = this.route(pattern);
    const data = packet.data ?? {};
    this.assertDepth(data);
    const heldBytes = this.budget.take(socket, jsonWeightBytes(data));
    let request: unknown;
    try {
      request = this.validated(route, data);
      this.access.authorize(socket, grant, pattern as string, request as Envelope);
    } catch (error) {
      this.budget.giveBackPlace(socket);
      this.budget.giveBackBytes(socket, heldBytes);
      throw error;
    }
    const { deadlineMs = this.settings.commandTimeoutMs, requestId } = request as Envelope;

    const context = new CommandContext([socket, pattern as string], receivedAt.epochMs + deadlineMs, requestId, socket);
    const endInFlight = this.inFlight.begin(COMMAND_IN_FLIGHT);
    const { handler, replyBytes } = route;
    const bounds = {
      dueAt: receivedAt.monotonicMs + deadlineMs,
      heldBytes,
      replyBytes,
      maxReplyLength: this.settings.maxSendBufferBytes,
    };
    const call = new CommandCall(socket, id, context, bounds, { handler, request }, endInFlight, this);
    this.wheel.add(call);
    if (replyBytes === 0) call.start();
    else this.replyTurns.ask(socket, call);
  }

  private authenticate(socket: CommanderSocket, token: unknown): Grant {
    try {
      return this.access.authenticate(socket, token);
    } catch (error) {
      const which = token === undefined ? 'no' : 'a wrong';
      this.log.warn('unauthenticated', `a request from ${socket.remote} had ${which} token`);
      throw error;
    }
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

  private assertDepth(data: unknown): void {
    const { maxJsonDepth } = this.settings;
    if (isDeeperThan(data, maxJsonDepth)) {
      throw new CommandError('INVALID_ARGUMENT', `the request is nested deeper than ${maxJsonDepth} (MAX_JSON_DEPTH)`);
    }
  }

  private validated(route: Route, data: unknown): unknown {
    const parsed = route.request.safeParse(data);
    if (parsed.success) return parsed.data;
    const issues = payloadIssues(parsed.error);
    const [first] = issues;
    const where = first.path === '' ? 'the request' : first.path;
    throw new CommandError('INVALID_ARGUMENT', `${where}: ${first.message}`, { issues });
  }

  private replyBytesOf(name: CommandName): number {
    const { maxSendBufferBytes, maxFrameBytes, maxResultBytes } = this.settings;
    switch (longReplies[name]) {
      case 'page':
        return maxSendBufferBytes;
      case 'record':
        return Math.min(maxSendBufferBytes, Math.max(maxFrameBytes, maxResultBytes));
      default:
        return 0;
    }
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
