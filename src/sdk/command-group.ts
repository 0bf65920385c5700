import { type CommandInput, type CommandName, type CommandReply, commands } from '../contract/commands.js';

/** Per request: how long it may take and who may end the wait. */
export interface CallOptions {
  /** ms until the caller stops waiting; travels with the request, to the agent if need be. */
  deadlineMs?: number;
  /** Ends the wait with CANCELLED; commander is not told. */
  signal?: AbortSignal;
}

/** Sends one command. */
export type SendCommand = <Name extends CommandName>(
  name: Name,
  input: CommandInput<Name>,
  options?: CallOptions,
) => Promise<CommandReply<Name>>;

type Prefix = CommandName extends `${infer First}.${string}` ? First : never;

type Arguments<Input> =
  Partial<Input> extends Input ? [input?: Input, options?: CallOptions] : [input: Input, options?: CallOptions];

/** The commands `<Group>.*` as methods: `schedule.upsert` → `upsert(input, options?)`. */
export type CommandGroup<Group extends Prefix> = {
  readonly [Name in CommandName as Name extends `${Group}.${infer Method}` ? Method : never]: (
    ...args: Arguments<CommandInput<Name>>
  ) => Promise<CommandReply<Name>>;
};

/** Makes the methods of a group from the table of commands. */
export function commandGroup<Group extends Prefix>(group: Group, send: SendCommand): CommandGroup<Group> {
  const methods: Record<string, unknown> = {};
  for (const name of Object.keys(commands) as CommandName[]) {
    if (!name.startsWith(`${group}.`)) continue;
    methods[name.slice(group.length + 1)] = (input: CommandInput<typeof name> = {} as never, options?: CallOptions) =>
      send(name, input, options);
  }
  return Object.freeze(methods) as CommandGroup<Group>;
}
