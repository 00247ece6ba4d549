import type { JsonSchema } from '#contract/component-schemas.ts'
import { escapeHtml } from './escape-html.ts'

/** A schema of the document as HTML: its type in a line, and its fields as a list below. */
export function schemaHtml(schema: JsonSchema): string {
  return `${typeHtml(schema)}${noteHtml(schema)}${fieldsHtml(schema)}`
}

/** Where a schema with a name is on the page. */
export function schemaAnchor(name: string): string {
  return `schema-${name}`
}

/** What it is, in a line. */
export function typeHtml(schema: JsonSchema): string {
  const { $ref, anyOf, oneOf, type } = schema
  if ($ref !== undefined) return referenceHtml($ref)
  const branches = anyOf ?? oneOf
  if (branches) return [...new Set(branches.map((branch) => typeHtml(branch)))].join(' | ')
  if (schema.const !== undefined) return `<code>${escapeHtml(JSON.stringify(schema.const))}</code>`
  if (schema.enum)
    return schema.enum.map((value) => `<code>${escapeHtml(JSON.stringify(value))}</code>`).join(' | ')
  if (type === 'array') return `array of ${itemHtml(schema)}`
  if (type === 'object' && typeof schema.additionalProperties === 'object')
    return `object with any keys, each ${typeHtml(schema.additionalProperties)}`
  if (Array.isArray(type)) return type.join(' | ')
  return escapeHtml(`${type ?? 'anything'}${boundsOf(schema)}`)
}

function referenceHtml(reference: string): string {
  const name = escapeHtml(reference.slice(reference.lastIndexOf('/') + 1))
  return `<a href="#${schemaAnchor(name)}">${name}</a>`
}

function itemHtml({ items }: JsonSchema): string {
  const item = singleItem(items)
  if (!item) return 'anything'
  return item.anyOf || item.oneOf || item.enum ? `(${typeHtml(item)})` : typeHtml(item)
}

function singleItem(items: JsonSchema['items']): JsonSchema | undefined {
  return typeof items === 'object' && !Array.isArray(items) ? items : undefined
}

function boundsOf({ format, minimum, maximum, minLength, maxLength }: JsonSchema): string {
  const range = (low: number | undefined, high: number | undefined, unit: string) => {
    if (low === undefined && high === undefined) return []
    if (high === undefined) return [`from ${low}${unit}`]
    return [low === undefined || low === 0 ? `at most ${high}${unit}` : `${low} to ${high}${unit}`]
  }
  const words = [
    ...(format === undefined ? [] : [format]),
    ...range(minimum, maximum, ''),
    ...range(minLength, maxLength, ' characters'),
  ]
  return words.length === 0 ? '' : ` (${words.join(', ')})`
}

function noteHtml({ description, default: usual }: JsonSchema): string {
  const says = description === undefined ? '' : ` <span class="note">${escapeHtml(description)}</span>`
  return usual === undefined
    ? says
    : `${says} <span class="note">Default: <code>${escapeHtml(JSON.stringify(usual))}</code></span>`
}

function fieldsHtml(schema: JsonSchema): string {
  const { properties, required = [], anyOf, oneOf, items } = schema
  const item = singleItem(items)
  const inner = [...(anyOf ?? oneOf ?? []), ...(item ? [item] : [])].map(fieldsHtml).join('')
  if (!properties) return inner
  const rows = Object.entries(properties).map(([name, field]) => {
    const optional = required.includes(name) ? '' : ' <span class="optional">optional</span>'
    const what = typeof field === 'boolean' ? 'anything' : schemaHtml(field)
    return `<li><code class="name">${escapeHtml(name)}</code>${optional} ${what}</li>`
  })
  return `<ul class="fields">${rows.join('')}</ul>${inner}`
}
