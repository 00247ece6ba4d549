import { hash } from 'node:crypto'
import type { JsonSchema } from '#contract/component-schemas.ts'
import type { DocumentedOperation, DocumentedParameter, OpenApi } from '#contract/openapi.ts'
import { STYLE } from './api-page-style.ts'
import { escapeHtml } from './escape-html.ts'
import { schemaAnchor, schemaHtml } from './schema-html.ts'

/** No script, nothing loaded, no form, no frame around it. */
export const API_PAGE_CSP = [
  "default-src 'none'",
  `style-src 'sha256-${hash('sha256', STYLE, 'base64')}'`,
  "form-action 'none'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ')

/** Another page or document that this one leads to. */
export interface PageLink {
  readonly href: string
  readonly text: string
}

interface Entry {
  readonly method: string
  readonly path: string
  readonly operation: DocumentedOperation
}

/** The document for people: one page, which the browser's own search goes through. */
export function apiPage(document: OpenApi, links: readonly PageLink[]): string {
  const entries = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  )
  const groups = document.tags.map(({ name, description }) => ({
    ...{ name, description, anchor: `resource-${name.toLowerCase().replaceAll(/\W+/g, '-')}` },
    entries: entries.filter(({ operation }) => operation.tags.includes(name)),
  }))
  const base = document.servers[0]?.url ?? ''
  const sections = groups.map(
    ({ name, description, anchor, entries: ofGroup }) =>
      `<section id="${anchor}"><h2>${escapeHtml(name)}</h2><p>${escapeHtml(description)}</p>
${ofGroup.map((entry) => operationHtml(entry, base, document)).join('\n')}</section>`,
  )
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(document.info.title)}</title>
<style>${STYLE}</style>
</head>
<body>
<nav aria-label="Contents">
<p class="links">${links.map(linkHtml).join('')}</p>
${groups.map(({ name, anchor, entries: ofGroup }) => contentsHtml(name, anchor, ofGroup)).join('\n')}
<details><summary><a href="#schemas">Schemas</a></summary></details>
</nav>
<main>
<h1>${escapeHtml(document.info.title)}</h1>
${document.info.description.split('\n\n').map(paragraphHtml).join('\n')}
<p>All paths are below <code>${escapeHtml(base)}</code>.</p>
${sections.join('\n')}
<section id="schemas"><h2>Schemas</h2>
${Object.entries(document.components.schemas).map(namedSchemaHtml).join('\n')}</section>
</main>
</body>
</html>
`
}

function linkHtml({ href, text }: PageLink): string {
  return `<a href="${escapeHtml(href)}">${escapeHtml(text)}</a>`
}

function contentsHtml(name: string, anchor: string, entries: readonly Entry[]): string {
  const lines = entries.map(
    ({ method, operation }) =>
      `<li><a href="#${anchorOf(operation)}"><span class="${method}">${method}</span> ${escapeHtml(operation.operationId)}</a></li>`,
  )
  return `<details><summary><a href="#${anchor}">${escapeHtml(name)}</a></summary><ul>${lines.join('')}</ul></details>`
}

function namedSchemaHtml([name, schema]: readonly [
  string,
  OpenApi['components']['schemas'][string],
]): string {
  const shown = escapeHtml(name)
  return `<article id="${schemaAnchor(shown)}"><h3>${shown}</h3>${schemaHtml(schema)}</article>`
}

/** Words between backticks stand as code. */
function paragraphHtml(text: string): string {
  const html = escapeHtml(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>')
  return `<p>${html}</p>`
}

function anchorOf({ operationId }: DocumentedOperation): string {
  return escapeHtml(operationId)
}

/** The anchor stands inside, so that following a link to it opens the entry. */
function operationHtml({ method, path, operation }: Entry, base: string, document: OpenApi): string {
  const { summary, description, requestBody } = operation
  const parts = ['path', 'query', 'header'].map((place) =>
    parametersHtml(
      place,
      operation.parameters.filter((parameter) => parameter.in === place),
    ),
  )
  const bodies = Object.entries(requestBody?.content ?? {})
  const [type, first] = bodies[0] ?? []
  const example = first?.schema.examples?.[0]
  return `<details class="operation"><summary><span class="${method}">${method}</span> <code>${pathHtml(path)}</code> <span class="summary">${escapeHtml(summary)}</span></summary>
<div id="${anchorOf(operation)}" class="entry">
<p>${escapeHtml(description)}</p>
${parts.join('')}
${first ? `<h4>Body <span class="note">${bodies.map(([name]) => escapeHtml(name)).join(', ')}${requestBody?.required ? '' : ', may be missing'}</span></h4>${schemaHtml(first.schema)}` : ''}
<h4>Example</h4><pre>${escapeHtml(curl({ method, url: `${base}${path}`, type, example }))}</pre>
${responsesHtml(operation, document)}
</div></details>`
}

function pathHtml(path: string): string {
  return escapeHtml(path).replaceAll(/(\{\w+\})/g, '<i>$1</i>')
}

function parametersHtml(place: string, parameters: readonly DocumentedParameter[]): string {
  if (parameters.length === 0) return ''
  const rows = parameters.map(({ name, required, description, schema }) => {
    const optional = required ? '' : ' <span class="optional">optional</span>'
    const note = description === undefined ? '' : ` <span class="note">${escapeHtml(description)}</span>`
    return `<li><code class="name">${escapeHtml(name)}</code>${optional} ${schemaHtml(schema)}${note}</li>`
  })
  return `<h4>In the ${place}</h4><ul class="fields">${rows.join('')}</ul>`
}

/** As a shell takes it. */
function curl(request: {
  readonly method: string
  readonly url: string
  readonly type: string | undefined
  readonly example: unknown
}): string {
  const { method, url, type, example } = request
  const body = typeof example === 'string' ? example : JSON.stringify(example, null, 2)
  return [
    `curl${method === 'GET' ? '' : ` -X ${method}`} "$POSTHORN${url}"`,
    `-H "Authorization: Bearer $TOKEN"`,
    ...(body === undefined
      ? []
      : [`-H "Content-Type: ${type}"`, `--data-binary '${body.replaceAll("'", `'\\''`)}'`]),
  ].join(' \\\n  ')
}

function responsesHtml({ responses }: DocumentedOperation, document: OpenApi): string {
  const errors = Object.entries(responses).flatMap(([status, response]) => {
    if (!('$ref' in response)) return []
    const name = response.$ref.slice(response.$ref.lastIndexOf('/') + 1)
    const { description } = document.components.responses[name] ?? { description: '' }
    const lines = description.split('\n').map((line) => `<li>${escapeHtml(line)}</li>`)
    return [`<li>${status}<ul>${lines.join('')}</ul></li>`]
  })
  const content = Object.entries(
    responses['200'] && 'content' in responses['200'] ? responses['200'].content : {},
  )
  const types = content.map(([type]) => escapeHtml(type)).join(', ')
  return `<h4>Answer <span class="note">200, ${types}</span></h4>
${content[0] ? answerHtml(content[0][1].schema) : ''}
<details class="errors"><summary>Errors</summary><ul>${errors.join('')}</ul></details>`
}

/** Of an envelope, what is not the same in each. */
function answerHtml(schema: JsonSchema): string {
  const { result, result_info } = schema.properties ?? {}
  if (result === undefined) return schemaHtml(schema)
  const properties = { result, ...(result_info !== undefined && { result_info }) }
  return schemaHtml({ type: 'object', properties, required: Object.keys(properties) })
}
