import type { ErrorCode } from '../contract/command-error.js';
import type { CloseReason } from './commander-socket.js';

/** What the command server counted. Counts without a remark are since the start. */
export interface TransportStats {
  /** Connections open now. */
  tcpCount: number;
  /** How many may be open at once. */
  tcpMaxCount: number;
  acceptedCount: number;
  /** Connections that were closed at once because `tcpMaxCount` were open. */
  refusedCount: number;
  /** Connections that we closed, by reason. */
  closedCounts: Record<CloseReason, number>;
  /** Connections that broke (a reset by the peer, mostly). */
  brokenCount: number;
  /** Requests received. Events are not among them. */
  commandsCount: number;
  /** Packets without an id: dropped, commander serves none. */
  eventsDroppedCount: number;
  /** Requests answered with an error, by code. */
  errorCounts: Partial<Record<ErrorCode, number>>;
  /** Commands under way now. */
  inFlightCount: number;
  /** Heap that their requests hold, by estimate, with those of handlers that are overdue. */
  inFlightBytes: number;
  /** Handlers that still run now although their deadline has passed: a growing number is a handler that never ends. */
  overdueHandlersCount: number;
  /** Answers that came after the deadline and were dropped. */
  lateAnswersCount: number;
  /** UTF-16 code units of requests that are incomplete or not served yet, now, of all connections. */
  unreadLength: number;
  /** Bytes of replies that the peers have not taken yet, now, of all connections. */
  unsentBytes: number;
}
