import { idSchema } from '../contract/common.schema.js';
import { flag, textOption, valueOption } from './cli-option.js';
import { UsageError } from './usage.error.js';
import { readDuration } from './values/duration.value.js';
import { readWholeNumber } from './values/whole-number.value.js';

/** Options of every command. */
export const globalOptions = {
  host: textOption('HOST', 'where commander listens (default 127.0.0.1)'),
  port: valueOption('PORT', 'its TCP port (default 7970)', readWholeNumber(1, 65_535)),
  token: textOption('TOKEN', 'its token; COMMANDER_TOKEN in the environment keeps it out of the list of processes'),
  tls: flag('over TLS; its certificate must be of an authority that Node knows and name HOST'),
  'tls-ca': textOption('FILE', 'over TLS, with the authorities in this PEM file'),
  'tls-cert': textOption('FILE', 'over TLS, showing this certificate, where commander asks for one'),
  'tls-key': textOption('FILE', 'the key of that certificate'),
  namespace: valueOption('NAME', 'whose schedules, runs, agents and results (default default)', readNamespace),
  timeout: valueOption('DURATION', 'how long a reply may take (default 5s): 500ms, 30s, 5m', readTimeout),
  'max-frame': valueOption(
    'BYTES',
    'longest request: MAX_FRAME_BYTES of the service, where that was changed',
    readWholeNumber(1_024, 134_217_728),
  ),
  json: flag('print the reply as JSON, for scripts'),
  utc: flag('lists show times in UTC, to the millisecond, beside the relative ones'),
  help: flag('tell how a command is used'),
  version: flag('tell the version'),
};

function readNamespace(text: string): string {
  const parsed = idSchema.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new UsageError(`${JSON.stringify(text)} is no namespace: it ${parsed.error.issues[0].message}`);
}

function readTimeout(text: string): number {
  const ms = readDuration(text);
  if (ms > 600_000) throw new UsageError(`${JSON.stringify(text)} is too long: a request may wait 10 minutes at most`);
  return ms;
}
