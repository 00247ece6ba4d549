import { z } from 'zod'

export type JsonSchema = z.core.JSONSchema.BaseSchema

/** The schemas of a document: those with a name stand in it once, the others where they are used. */
export interface SchemaBook {
  /** A schema in the place where it is used; `input` is what is read, `output` what is answered. */
  inline(schema: z.ZodType, side: 'input' | 'output'): JsonSchema
  /** All that were named so far. */
  schemas(): Readonly<Record<string, JsonSchema>>
}

const PLACE = '#/components/schemas/'

/** Schemas get a name by `.meta({ id })`. One name for two different schemas is a bug and throws. */
export function componentSchemas(): SchemaBook {
  const named = new Map<string, JsonSchema>()
  return {
    inline(schema, side) {
      const {
        $schema: _,
        $defs = {},
        ...json
      } = z.toJSONSchema(schema, {
        io: side,
        override: ({ jsonSchema }) => plain(jsonSchema, side),
      })
      for (const [name, definition] of Object.entries($defs)) keep(named, name, relocated(definition))
      return relocated(json)
    },
    schemas: () => Object.fromEntries([...named].sort(([a], [b]) => (a < b ? -1 : 1))),
  }
}

/** Takes away what says nothing here or the wrong thing. */
function plain(json: JsonSchema, side: 'input' | 'output'): void {
  // Of arrays that our own code must not change. In OpenAPI it would mean that clients must not send them.
  delete json.readOnly
  delete json.propertyNames
  // Whole numbers are safe ones: no need to say so each time.
  if (json.maximum === Number.MAX_SAFE_INTEGER) delete json.maximum
  if (json.minimum === Number.MIN_SAFE_INTEGER) delete json.minimum
  // An answer may get more fields some day: a client that refuses to read them would break then.
  if (side === 'output' && json.additionalProperties === false) delete json.additionalProperties
}

function keep(named: Map<string, JsonSchema>, name: string, schema: JsonSchema): void {
  const before = named.get(name)
  if (before && JSON.stringify(before) !== JSON.stringify(schema))
    throw new TypeError(`two schemas have the name ${name}`)
  named.set(name, schema)
}

/** The same with its references leading into the document. */
function relocated(schema: JsonSchema): JsonSchema {
  return JSON.parse(JSON.stringify(schema), (key: string, value: unknown) => {
    return key === '$ref' && typeof value === 'string' ? value.replace('#/$defs/', PLACE) : value
  }) as JsonSchema
}
