const INTRODUCTION = `# Commands

This page is written by \`npm run docs\` from the schemas in \`src/contract/\`, which also validate every request.

## On the wire

Nest's TCP transport, request and response: a frame is \`<length>#<json>\`, the length in UTF-16 code units. A request is
\`{"id", "pattern", "data", "token"?}\`, a reply \`{"id", "response", "isDisposed": true}\` or \`{"id", "err", "isDisposed": true}\`.
Any Nest \`ClientProxy\` with \`Transport.TCP\` can talk to a commander that asks for no token; \`CommanderClient\` of
\`mu-commander/client\` ([sdk.md](sdk.md)) adds the token, which Nest's packets have no place for, types, deadlines, reconnection and
errors as one class. Patterns are plain strings. Events (no \`id\`) are not served.

\`\`\`
$ echo -n '46#{"id":"1","pattern":"system.health","data":{}}' | nc -q1 127.0.0.1 7970
\`\`\`

Times are milliseconds since the epoch; where a request takes an instant it also takes ISO 8601 with a zone. Durations are
milliseconds. An *id* is 1–128 letters, digits and \`.\` \`_\` \`-\` \`@\`, the first a letter or digit. Unknown fields are refused. Every
request may carry:

| field | type | default | meaning |
| --- | --- | --- | --- |
| \`deadlineMs\` | integer, 1–600000 | \`COMMAND_TIMEOUT_MS\` | how long the caller still waits; with \`wait\` it bounds the wait, not the run |
| \`requestId\` | string, up to 128 | – | repeated in log lines |
| \`namespace\` | id | \`default\` | schedules, runs, agents and results of one namespace never see those of another |

## Errors

An error is \`{code, message, retryable, details?}\`. A refused request changed nothing. \`UNAVAILABLE\` and \`DEADLINE_EXCEEDED\`
leave open whether the command took effect: repeat it with the same idempotency key, or, for declarations, as it is. With \`wait: true\`
\`job.submit\` and \`schedule.trigger\` also answer with the error of the run itself, whose \`details\` are \`{runId, state}\`: the run was made,
and \`run.get\` shows it. What the job's handler threw has the code \`INTERNAL\` there, unless it was a \`CommandError\`, which keeps its own.
`;

/** Renders docs/commands.md. */
export function commandsPage({ commands, agentSideCommands, errorCodes }, toJSONSchema) {
  const errors = Object.entries(errorCodes).map(
    ([code, { retryable, meaning }]) => `| \`${code}\` | ${retryable ? 'yes' : 'no'} | ${meaning} |`,
  );
  return [
    INTRODUCTION,
    '| code | retryable | meaning |',
    '| --- | --- | --- |',
    ...errors,
    '',
    '## Served by commander',
    '',
    ...sections(commands, toJSONSchema, ENVELOPE),
    '## Served by agents',
    '',
    'What commander sends to an agent (`CommanderAgentModule` of `mu-commander/agent` serves it).',
    '',
    ...sections(agentSideCommands, toJSONSchema),
    '## Types',
    '',
    ...types([commands, agentSideCommands], toJSONSchema),
  ].join('\n');
}

/** Types that several commands share; they carry an id in the schemas. */
function types(tables, toJSONSchema) {
  const found = new Map();
  for (const { request, reply } of tables.flatMap((table) => Object.values(table))) {
    for (const [schema, io] of [
      [request, 'input'],
      [reply, 'output'],
    ]) {
      const { $defs = {} } = toJSONSchema(schema, { io, unrepresentable: 'any' });
      for (const [id, definition] of Object.entries($defs))
        if (!found.has(id) && !id.startsWith('__')) found.set(id, definition);
    }
  }
  return [...found]
    .sort(([a], [b]) => a.localeCompare(b))
    .flatMap(([id, definition]) => [`### ${id}`, '', ...meaning(definition), ...fields('field', definition)]);
}

/** What the page calls an id. */
const ID_PATTERN = '^[A-Za-z0-9][A-Za-z0-9._@-]{0,127}$';
/** Told once, at the head of the page. */
const ENVELOPE = ['deadlineMs', 'requestId', 'namespace'];

function sections(table, toJSONSchema, hidden = []) {
  return Object.entries(table).flatMap(([name, { request, reply, description }]) => [
    `### \`${name}\``,
    '',
    ...meaning({ description }),
    ...fields('request', toJSONSchema(request, { io: 'input', unrepresentable: 'any' }), hidden),
    ...fields('reply', toJSONSchema(reply, { io: 'output', unrepresentable: 'any' })),
  ]);
}

function meaning({ description }) {
  return description === undefined ? [] : [description, ''];
}

function fields(title, schema, hidden = []) {
  const rows = rowsOf(schema, hidden);
  if (rows.length === 0)
    return [`${title}: ${schema.properties === undefined ? typeText(schema, schema) : 'no fields'}`, ''];
  return [`| ${title} (\\* always there) | type | meaning |`, '| --- | --- | --- |', ...rows, ''];
}

/** What is in an object without a name of its own has rows below the object's. */
function rowsOf(schema, hidden = [], prefix = '') {
  return Object.entries(schema.properties ?? {})
    .filter(([name]) => !hidden.includes(name))
    .flatMap(([name, property]) => {
      const always = (schema.required ?? []).includes(name) ? ' *' : '';
      const fallback = property.default === undefined ? '' : `, default \`${JSON.stringify(property.default)}\``;
      const text = (property.description ?? '').replaceAll('|', '\\|');
      const [inner, suffix] = property.type === 'array' ? [property.items ?? {}, '[]'] : [property, ''];
      return [
        `| \`${prefix}${name}\`${always} | ${typeText(property, schema)}${fallback} | ${text} |`,
        ...rowsOf(inner, [], `${prefix}${name}${suffix}.`),
      ];
    });
}

function typeText(schema, root) {
  if (schema.$ref !== undefined) {
    const id = schema.$ref.split('/').at(-1);
    return id.startsWith('__') || id === '#' ? 'JSON' : `[${id}](#${id.toLowerCase()})`;
  }
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${value}\``).join(' · ');
  if (schema.const !== undefined) return `\`${schema.const}\``;
  const variants = schema.anyOf ?? schema.oneOf;
  if (variants !== undefined) {
    if (variants.some(({ type }) => type === 'null') && variants.length > 4) return 'JSON';
    const texts = [...new Set(variants.map((variant) => typeText(variant, root)))];
    // What an input type is turned into has no schema of its own.
    return (texts.length > 1 ? texts.filter((text) => text !== 'JSON') : texts).join(' or ');
  }
  switch (schema.type) {
    case 'array':
      return `list of ${typeText(schema.items ?? {}, root)}${schema.maxItems === undefined ? '' : `, at most ${schema.maxItems}`}`;
    case 'object': {
      if (schema.properties === undefined && schema.additionalProperties)
        return `map of ${typeText(schema.additionalProperties ?? {}, root)}${schema.maxProperties === undefined ? '' : `, at most ${schema.maxProperties}`}`;
      return 'object';
    }
    case 'integer':
    case 'number': {
      const { minimum, maximum, type } = schema;
      const bounded = minimum > Number.MIN_SAFE_INTEGER || (maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER);
      if (!bounded) return type;
      return `${type} ${minimum > Number.MIN_SAFE_INTEGER ? minimum : ''}–${maximum < Number.MAX_SAFE_INTEGER ? maximum : ''}`
        .replace(/–$/, ' or more')
        .replace(/ (\d+) or more$/, ', $1 or more');
    }
    case 'string':
      if (schema.pattern === ID_PATTERN)
        return `id${schema.maxLength === undefined ? '' : ` of at most ${schema.maxLength}`}`;
      if (schema.format === 'date-time') return 'ISO 8601';
      return schema.maxLength === undefined ? 'string' : `string up to ${schema.maxLength}`;
    case undefined:
      return 'JSON';
    default:
      return schema.type;
  }
}
