// The JSON Schema of policy files (ebb policy schema), made of the table of keys.
import { FILE_BYTES_MAX, isAmount, POLICY_VERSION } from './file.ts';
import { keyRow, type Part, POLICY_KEY_NAMES, type PolicyKeyRow } from './keys.ts';

type Json = Readonly<Record<string, unknown>>;

function partSchema(row: PolicyKeyRow, part: Part): Json {
  if (part === 'allowed')
    return {
      type: 'array',
      maxItems: 64,
      items: row.kind === 'folders' ? { type: 'string', maxLength: 1024 } : { enum: row.choices ?? [] },
    };
  if (row.kind === 'flag') return { type: 'boolean' };
  if (row.kind === 'choice') return { enum: row.choices ?? [] };
  if (row.kind === 'count') return { type: 'integer', minimum: row.least ?? 0, maximum: row.most };
  return { type: 'string', pattern: '^\\d{1,9}(\\.\\d{1,3})? ?[KMGT](iB)?$' };
}

function ruleSchema(row: PolicyKeyRow): Json {
  const parts = row.parts.map(part => [part, partSchema(row, part)] as const);
  return {
    type: 'object',
    title: row.en.title,
    description: row.en.doc,
    additionalProperties: false,
    properties: { ...Object.fromEntries(parts), reason: { type: 'string', maxLength: 200 } },
    anyOf: row.parts.map(part => ({ required: [part] })),
  };
}

export const policyJsonSchema = (): Json => ({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'ebb-policy-1.json',
  title: 'Ebb policy',
  description: `At most ${FILE_BYTES_MAX / 1024} KiB. Keys of other versions of Ebb are not looked at.`,
  type: 'object',
  required: ['policyVersion'],
  properties: {
    policyVersion: { const: POLICY_VERSION },
    organization: { type: 'string', maxLength: 80 },
    contact: { type: 'string', maxLength: 200 },
    settings: {
      type: 'object',
      properties: Object.fromEntries(POLICY_KEY_NAMES.map(key => [key, ruleSchema(keyRow(key))])),
    },
  },
});

/** An example of a rule, for the documentation. */
export function exampleRule(row: PolicyKeyRow): Json {
  const part = row.strict === 'more' ? 'min' : (row.parts.at(-1) ?? 'value');
  const amounts = { memory: '4GiB', size: '64GiB', count: Math.max(row.least ?? 0, 2) };
  if (part === 'allowed')
    return { allowed: row.kind === 'folders' ? ['/srv/images'] : (row.always ?? row.choices?.slice(0, 1)) };
  if (isAmount(row)) return { [part]: amounts[row.kind as keyof typeof amounts] };
  return { [part]: row.kind === 'flag' ? false : row.choices?.[0] };
}
