import { type UploadMetadata, uploadMetadata } from '#contract/workers.ts'
import type { WorkerModule } from '#model/worker.ts'
import type { Upload, WantedBinding, WorkerSettings } from '#registry/workers/worker.ts'
import type { Fault } from './fault.ts'
import { readBinding } from './read-binding.ts'
import { readForm } from './read-form.ts'
import { readJson } from './read-json.ts'
import { unfit } from './workers-faults.ts'

const MOST_PARTS = 1000
const LONGEST_NAME = 1024

/** The types that a part says it is of (clients.md §3.2). */
const MODULE_TYPES: Readonly<Record<string, WorkerModule['type']>> = {
  'application/javascript+module': 'esm',
  'text/javascript+module': 'esm',
  'application/javascript': 'commonjs',
  'text/javascript': 'commonjs',
  'application/wasm': 'wasm',
  'application/json': 'json',
  'text/plain': 'text',
  'text/html': 'text',
  'application/octet-stream': 'data',
}

/** What we have no use for. */
const LEFT_OUT = new Set(['application/source-map'])

export interface ReadUpload {
  readonly upload: Upload
  /** What the upload says of the Worker as a whole. */
  readonly settings: Partial<WorkerSettings>
}

/** An upload as wrangler makes it: a form with the part `metadata` and a part for each module. */
export async function readWorkerUpload(
  body: Uint8Array,
  contentType: string,
  now: number,
): Promise<ReadUpload | Fault> {
  const form = await readForm(body, contentType, MOST_PARTS)
  if ('detail' in form) return unfit(form.detail)
  const metadata = await readMetadata(form.get('metadata'))
  if ('status' in metadata) return metadata
  const mainModule = readMain(metadata)
  if (typeof mainModule !== 'string') return mainModule
  const bindings: WantedBinding[] = []
  for (const [index, uploaded] of metadata.bindings.entries()) {
    const binding = readBinding(uploaded, `/bindings/${index}`)
    if ('status' in binding) return binding
    if (bindings.some(({ name }) => name === binding.name))
      return unfit(`Binding name '${binding.name}' stands twice.`, `/bindings/${index}/name`)
    bindings.push(binding)
  }
  const modules = await readModules(form)
  if ('status' in modules) return modules
  if (modules.find(({ name }) => name === mainModule)?.type !== 'esm')
    return unfit(`There is no ES module '${mainModule}' among the parts.`, '/main_module')
  const { compatibility_date: compatibilityDate, compatibility_flags: compatibilityFlags } = metadata
  if (!isPast(compatibilityDate, now)) {
    const what = `Can't set compatibility date in the future, or to no day at all: '${compatibilityDate}'.`
    return unfit(what, '/compatibility_date')
  }
  // With such a flag workerd itself fetches an interpreter, from outside of what it keeps Workers in.
  if (compatibilityFlags.some((flag) => /^python/i.test(flag)))
    return unfit('The Worker is Python, which this service does not run.', '/compatibility_flags')
  const { keep_bindings: keep, annotations } = metadata
  const said = Object.fromEntries(Object.entries(annotations).filter(([, text]) => text !== undefined))
  return {
    upload: {
      ...{ mainModule, modules, compatibilityDate, compatibilityFlags, bindings, keep },
      annotations: { 'workers/triggered_by': 'upload', ...said },
    },
    settings: settingsOf(metadata),
  }
}

/** What is absent stays as it is. */
export function settingsOf({
  logpush,
  observability,
  tags,
}: Pick<UploadMetadata, 'logpush' | 'observability' | 'tags'>): Partial<WorkerSettings> {
  return {
    ...(logpush != null && { logpush }),
    ...(observability && { observability }),
    ...(tags && { tags }),
  }
}

async function readMetadata(part: ReturnType<FormData['get']>): Promise<UploadMetadata | Fault> {
  if (part === null) return unfit("The form has no part 'metadata'.")
  const text = typeof part === 'string' ? part : await part.text()
  const read = readJson(Buffer.from(text), uploadMetadata, {})
  if (read.ok) return read.value
  const { detail, pointer } = { pointer: undefined, ...read.refusal }
  return unfit(`metadata: ${detail}`, pointer)
}

function readMain({ main_module: main, body_part: body }: UploadMetadata): string | Fault {
  if (main !== undefined) return main
  if (body === undefined) return unfit("metadata: 'main_module' is missing.", '/main_module')
  const message =
    'This Worker is in the service-worker format; this service takes ES modules, with a default export.'
  return unfit(message, '/body_part')
}

async function readModules(form: FormData): Promise<readonly WorkerModule[] | Fault> {
  const modules: WorkerModule[] = []
  for (const [name, part] of form) {
    if (name === 'metadata') continue
    const type = typeof part === 'string' ? '' : (part.type.split(';', 1)[0] ?? '').trim().toLowerCase()
    if (LEFT_OUT.has(type)) continue
    const shown = name.slice(0, 100)
    if (typeof part === 'string') return unfit(`Part '${shown}' has no filename, so it is no module.`)
    if (/python/.test(type)) return unfit(`Part '${shown}' is Python, which this service does not run.`)
    const known = Object.hasOwn(MODULE_TYPES, type) ? MODULE_TYPES[type] : undefined
    if (!known)
      return unfit(`Part '${shown}' is of type '${type.slice(0, 100)}', which is no type of a module.`)
    if (name.length > LONGEST_NAME || !/^\P{Cc}+$/u.test(name) || !name.isWellFormed())
      return unfit(`'${shown}' is no name that a module can have.`)
    if (name.startsWith('/') || name.split('/').includes('..'))
      return unfit(
        `Module '${shown}' must be named from the root of the upload: without '..', and no '/' first.`,
      )
    if (modules.some((module) => module.name === name)) return unfit(`There are two modules '${shown}'.`)
    modules.push({ name, type: known, content: Buffer.from(await part.arrayBuffer()) })
  }
  return modules
}

function isPast(date: string, now: number): boolean {
  const time = Date.parse(`${date}T00:00:00Z`)
  return time <= now && new Date(time).toISOString().startsWith(date)
}
