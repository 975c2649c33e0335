// An example value for a schema, from its JSON Schema: smallest that fits. For tests that must cover every method
// of a contract without naming each.
import * as z from 'zod';

interface Json {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Json[];
  readonly oneOf?: readonly Json[];
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, Json>>;
  readonly required?: readonly string[];
  readonly items?: Json;
  readonly prefixItems?: readonly Json[];
  readonly minItems?: number;
  readonly minimum?: number;
  readonly minLength?: number;
  readonly pattern?: string;
  readonly $defs?: Readonly<Record<string, Json>>;
}

const UUID = '00000000-0000-4000-8000-000000000001';
/** Where a text has a form: the first of these that has it. */
const FORMED = [UUID, 'pc-q35-7.2', 'ssh-ed25519 AAAA', 'a'.repeat(64), 'user', 'a'];

function text(schema: Json): string {
  const filler = 'example of a text';
  const form = new RegExp(schema.pattern ?? '', 'u');
  const formed = [filler.slice(0, 4), ...FORMED].find(each => form.test(each));
  if (schema.pattern !== undefined && formed !== undefined) return formed;
  return filler.slice(0, Math.max(schema.minLength ?? 0, 4)).padEnd(schema.minLength ?? 0, 'x');
}

function build(schema: Json, root: Json): unknown {
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return schema.enum[0];
  const [first] = schema.anyOf ?? schema.oneOf ?? [];
  if (first !== undefined) return build(first, root);
  if (schema.$ref !== undefined) return build(root.$defs?.[schema.$ref.split('/').at(-1) ?? ''] ?? {}, root);
  switch (schema.type) {
    case 'object': {
      const names = Object.keys(schema.properties ?? {});
      return Object.fromEntries(names.map(name => [name, build(schema.properties?.[name] ?? {}, root)]));
    }
    case 'array': {
      const item = (): unknown => build(schema.items ?? {}, root);
      return (
        schema.prefixItems?.map(each => build(each, root)) ??
        Array.from({ length: schema.minItems ?? 1 }, item)
      );
    }
    case 'string':
      return text(schema);
    case 'integer':
    case 'number':
      return schema.minimum ?? 0;
    case 'boolean':
      return true;
    default:
      return null;
  }
}

/** Throws where the smallest guess does not fit: then this file needs to learn. */
export function exampleOf(type: z.ZodType, io: 'input' | 'output'): unknown {
  const schema = z.toJSONSchema(type, { io, unrepresentable: 'any' }) as Json;
  return type.parse(build(schema, schema));
}
