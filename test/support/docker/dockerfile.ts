/** One instruction of a Dockerfile: comments removed, continued lines joined, flags such as --from apart. */
export interface Instruction {
  name: string;
  flags: string[];
  value: string;
}

/** Reads a plain Dockerfile (no heredocs, the default escape character). */
export function readDockerfile(text: string): Instruction[] {
  const joined = text
    .split('\n')
    .filter((line) => !/^\s*#/.test(line))
    .join('\n')
    .replace(/\\\n\s*/g, ' ');
  return joined
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => {
      const [, name = '', rest = ''] = /^(\S+)\s*(.*)$/.exec(line) ?? [];
      const flags = /^(?:--\S+\s+)*/.exec(rest)?.[0] ?? '';
      return {
        name: name.toUpperCase(),
        flags: flags.trim().split(/\s+/).filter(Boolean),
        value: rest.slice(flags.length),
      };
    });
}

/** The instructions of each stage, FROM first. */
export function stagesOf(instructions: readonly Instruction[]): Instruction[][] {
  const stages: Instruction[][] = [];
  for (const instruction of instructions) {
    if (instruction.name === 'FROM') stages.push([instruction]);
    else stages.at(-1)?.push(instruction);
  }
  return stages;
}

/** The array of an instruction in exec form, undefined for the shell form. */
export function execForm(value: string): string[] | undefined {
  try {
    const parsed: unknown = JSON.parse(value.replace(/^CMD\s+/, ''));
    return Array.isArray(parsed) && parsed.every((part) => typeof part === 'string') ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** Variables that ENV sets in a stage. */
export function environmentOf(stage: readonly Instruction[]): Record<string, string> {
  const pairs = stage
    .filter(({ name }) => name === 'ENV')
    .flatMap(({ value }) => [...value.matchAll(/(\w+)=(?:"([^"]*)"|(\S*))/g)])
    .map(([, name, quoted, bare]): [string, string] => [name!, quoted ?? bare!]);
  return Object.fromEntries(pairs);
}
