/**
 * A request as it stands in a frame. It is Nest's own packet plus `token`: Nest 11 has no packet metadata, so the shared
 * secret travels beside `pattern` and `data`, where neither handlers nor log lines see it.
 */
export interface CommandPacket {
  /** Absent on events (fire and forget), which commander does not serve. */
  id?: string;
  pattern: unknown;
  data: unknown;
  token?: string;
}
