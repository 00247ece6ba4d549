import type { JsonSchema } from '#contract/component-schemas.ts'

/** How to read a schema: where `references` lead, and whether an object may have fields that its schema does not name.
 *  Written for these tests alone, so that what the document says is not read by the library that wrote it. */
export interface Reading {
  readonly references: Readonly<Record<string, JsonSchema>>
  readonly unknownFields: 'allowed' | 'refused'
}

const PLACE = '#/components/schemas/'

/** What is wrong with the value, and where; undefined where it fits. A keyword that is not read here throws. */
export function mismatch(
  schema: JsonSchema,
  value: unknown,
  reading: Reading,
  at = 'the value',
): string | undefined {
  if (schema.$ref !== undefined) {
    const target = reading.references[schema.$ref.replace(PLACE, '')]
    if (!target) throw new Error(`${schema.$ref} leads nowhere`)
    return mismatch(target, value, reading, at)
  }
  for (const keyword of Object.keys(schema)) {
    const read = KEYWORDS[keyword]
    if (!read) throw new Error(`the keyword ${keyword} is not read here`)
    const wrong = read(value, { schema, reading, at })
    if (wrong !== undefined) return wrong
  }
  return undefined
}

interface Place {
  readonly schema: JsonSchema
  readonly reading: Reading
  readonly at: string
}

/** One keyword of the schema, as JSON Schema 2020-12 has it. */
type Keyword = (value: unknown, place: Place) => string | undefined

const ANNOTATIONS = ['description', 'default', 'examples', 'title', 'format']

const KEYWORDS: Readonly<Record<string, Keyword>> = {
  ...Object.fromEntries(ANNOTATIONS.map((name) => [name, () => undefined])),
  type: (value, { schema, at }) => {
    const types = [schema.type ?? []].flat()
    if (types.some((type) => isOfType(type, value))) return undefined
    return `${at} is ${shown(value)} and not ${types.join(' or ')}`
  },
  const: (value, { schema, at }) =>
    schema.const === value ? undefined : `${at} is ${shown(value)} and not ${shown(schema.const)}`,
  enum: (value, { schema: { enum: values = [] }, at }) =>
    values.some((each) => each === value)
      ? undefined
      : `${at} is ${shown(value)} and none of ${shown(values)}`,
  pattern: (value, { schema: { pattern = '' }, at }) =>
    typeof value !== 'string' || new RegExp(pattern, 'u').test(value)
      ? undefined
      : `${at} is ${shown(value)} and not as ${pattern}`,
  minLength: (value, { schema, at }) => less(at, lengthOf(value), schema.minLength),
  maxLength: (value, { schema, at }) => more(at, lengthOf(value), schema.maxLength),
  minimum: (value, { schema, at }) => less(at, value, schema.minimum),
  maximum: (value, { schema, at }) => more(at, value, schema.maximum),
  minItems: (value, { schema, at }) => less(at, countOf(value), schema.minItems),
  maxItems: (value, { schema, at }) => more(at, countOf(value), schema.maxItems),
  anyOf: (value, place) => fitsOne(place.schema.anyOf ?? [], value, place),
  oneOf: (value, place) => fitsOne(place.schema.oneOf ?? [], value, place),
  items: (value, { schema: { items }, reading, at }) => {
    if (typeof items !== 'object' || Array.isArray(items)) throw new Error(`${at}: items is no schema`)
    if (!Array.isArray(value)) return undefined
    return first(value.map((item, index) => () => mismatch(items, item, reading, `${at}[${index}]`)))
  },
  required: (value, { schema: { required = [] }, at }) => {
    const missing = isObject(value) ? required.find((name) => !Object.hasOwn(value, name)) : undefined
    return missing === undefined ? undefined : `${at} lacks ${missing}`
  },
  properties: (value, { schema: { properties = {}, additionalProperties }, reading, at }) => {
    if (!isObject(value)) return undefined
    const closed = reading.unknownFields === 'refused' && additionalProperties === undefined
    const unknown = Object.keys(value).find((name) => !Object.hasOwn(properties, name))
    if (closed && unknown !== undefined) return `${at} has ${unknown}, which the document does not have`
    return first(
      Object.entries(properties).map(([name, field]) => () => {
        if (typeof field === 'boolean' || !Object.hasOwn(value, name)) return undefined
        return mismatch(field, value[name], reading, `${at}.${name}`)
      }),
    )
  },
  additionalProperties: (value, { schema: { properties = {}, additionalProperties: rest }, reading, at }) => {
    if (!isObject(value) || rest === true || rest === undefined) return undefined
    const others = Object.keys(value).filter((name) => !Object.hasOwn(properties, name))
    if (rest === false) return others[0] === undefined ? undefined : `${at} has ${others[0]}`
    return first(others.map((name) => () => mismatch(rest, value[name], reading, `${at}.${name}`)))
  },
}

function first(checks: readonly (() => string | undefined)[]): string | undefined {
  for (const check of checks) {
    const wrong = check()
    if (wrong !== undefined) return wrong
  }
  return undefined
}

function fitsOne(schemas: readonly JsonSchema[], value: unknown, { reading, at }: Place): string | undefined {
  const wrong = schemas.map((schema) => mismatch(schema, value, reading, at))
  return wrong.includes(undefined) ? undefined : `none fits: ${wrong.join('; ')}`
}

function isOfType(type: string, value: unknown): boolean {
  switch (type) {
    case 'null':
      return value === null
    case 'array':
      return Array.isArray(value)
    case 'object':
      return isObject(value)
    case 'integer':
      return Number.isInteger(value)
    case 'string':
    case 'number':
    case 'boolean':
      return typeof value === type
    default:
      throw new Error(`there is no type ${type}`)
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function lengthOf(value: unknown): number | undefined {
  return typeof value === 'string' ? Array.from(value).length : undefined
}

function countOf(value: unknown): number | undefined {
  return Array.isArray(value) ? value.length : undefined
}

function less(at: string, value: unknown, least = 0): string | undefined {
  return typeof value === 'number' && value < least ? `${at}: ${value} is less than ${least}` : undefined
}

function more(at: string, value: unknown, most = 0): string | undefined {
  return typeof value === 'number' && value > most ? `${at}: ${value} is more than ${most}` : undefined
}

function shown(value: unknown): string {
  return JSON.stringify(value).slice(0, 100)
}
