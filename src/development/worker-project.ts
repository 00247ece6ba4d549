import { readFile, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { type ParseError, parse as parseJsonc, printParseErrorCode } from 'jsonc-parser'
import { parse as parseToml, TomlError } from 'smol-toml'
import type { z } from 'zod'
import type { Address } from '#model/address.ts'
import type { WorkerBinding } from '#model/worker.ts'
import { NEWEST_DATE } from '#workers/runtime/newest-date.ts'
import type { ConsumerWish } from '#workers/storage/queue.ts'
import { readAddresses, readRestrictions } from './worker-project-addresses.ts'
import {
  NOT_DONE,
  type ProjectFields,
  projectFields,
  UNAVAILABLE,
  WITHOUT_EFFECT,
} from './worker-project-fields.ts'
import { readProjectVars } from './worker-project-vars.ts'

/** A folder with a Worker's code, as its `wrangler.jsonc`, `.json` or `.toml` describes it. */
export interface WorkerProject {
  readonly folder: string
  /** The configuration and what else is read beside it, absolute: whoever watches reads them anew when they change. */
  readonly files: readonly string[]
  readonly name: string
  /** Absolute. */
  readonly main: string
  readonly compatibilityDate: string
  readonly compatibilityFlags: readonly string[]
  /** All but the namespaces of KV, whose ids this instance gives. */
  readonly bindings: readonly WorkerBinding[]
  readonly kv: readonly { readonly binding: string; readonly id?: string | undefined }[]
  readonly consumers: readonly (Omit<ConsumerWish, 'scriptName'> & { readonly queue: string })[]
  readonly crons: readonly string[]
  readonly addresses: readonly Address[]
  /** Domains whose whole mail it takes. */
  readonly catchAlls: readonly string[]
  /** What concerns the bundle alone. */
  readonly build: Pick<
    ProjectFields,
    'rules' | 'define' | 'alias' | 'tsconfig' | 'minify' | 'keep_names' | 'jsx_factory' | 'jsx_fragment'
  >
  /** Sentences for its owner: what is left aside. */
  readonly remarks: readonly string[]
}

/** Sentences, each of which names the file and the field. */
export interface ProjectFaults {
  readonly faults: readonly string[]
}

/** In the order in which wrangler looks. */
const CONFIG_FILES = ['wrangler.json', 'wrangler.jsonc', 'wrangler.toml']
const USUAL_MAINS = ['src/index.ts', 'src/index.js', 'src/worker.ts', 'src/worker.js', 'index.ts', 'index.js']

export async function readProject(folder: string): Promise<WorkerProject | ProjectFaults> {
  const found = await findConfig(folder)
  if ('faults' in found) return found
  const { path, content } = found
  const file = basename(path)
  const named = (fault: string) => `${file}: ${fault}`
  const read = path.endsWith('.toml') ? readToml(content) : readJsonc(content)
  if ('fault' in read) return { faults: [named(read.fault)] }
  const parsed = projectFields.safeParse(read.value, { reportInput: true })
  const unavailable = unavailableIn(read.value)
  if (!parsed.success || unavailable.length > 0) {
    const wrong = parsed.success ? [] : parsed.error.issues.map(explain)
    return { faults: [...wrong, ...unavailable].map(named) }
  }
  const fields = parsed.data
  const main = await findMain(folder, fields.main)
  if (main === undefined) {
    const fault =
      fields.main === undefined
        ? 'main is missing: it names the file with the code, such as "src/index.ts"'
        : `main: there is no file ${fields.main} in ${folder}`
    return { faults: [named(fault)] }
  }
  if (main.endsWith('.py')) return { faults: [named('main: Python Workers do not run here')] }
  const restrictions = readRestrictions(fields.send_email)
  const addresses = readAddresses(fields.addresses)
  const vars = await readProjectVars(folder, fields)
  const bindings = [...vars.bindings, ...bindingsOf(fields), ...restrictions.bindings]
  const names = [...bindings.map(({ name }) => name), ...fields.kv_namespaces.map(({ binding }) => binding)]
  const twice = names.filter((name, index) => names.indexOf(name) < index)
  const faults = [
    ...[...restrictions.faults, ...addresses.faults],
    ...[...new Set(twice)].map((name) => `two bindings are called ${name}`),
  ]
  if (faults.length > 0) return { faults: faults.map(named) }
  const date = compatibilityDate(fields.compatibility_date)
  return {
    ...{ folder, main, bindings, files: [path, ...vars.files] },
    name: fields.name ?? nameOf(folder),
    compatibilityDate: date.date,
    compatibilityFlags: fields.compatibility_flags,
    kv: fields.kv_namespaces,
    consumers: fields.queues.consumers.map(consumerOf),
    crons: fields.triggers.crons,
    ...{ addresses: addresses.addresses, catchAlls: addresses.catchAlls },
    build: fields,
    remarks: [...remarksOn(read.value), ...date.remarks, ...vars.remarks].map(named),
  }
}

async function findConfig(
  folder: string,
): Promise<{ readonly path: string; readonly content: string } | ProjectFaults> {
  for (const name of CONFIG_FILES) {
    const path = join(folder, name)
    try {
      return { path, content: await readFile(path, 'utf8') }
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined
      if (code === 'ENOTDIR') break
      if (code !== 'ENOENT') return { faults: [`${path} cannot be read: ${String(code)}`] }
    }
  }
  const place = await stat(folder).catch(() => undefined)
  if (!place) return { faults: [`there is no folder ${folder}`] }
  if (!place.isDirectory()) return { faults: [`${folder} is no folder; name the one that it is in`] }
  return { faults: [`${folder} has no wrangler.jsonc, wrangler.json or wrangler.toml`] }
}

type ReadFile = { readonly value: Readonly<Record<string, unknown>> } | { readonly fault: string }

function readJsonc(content: string): ReadFile {
  const errors: ParseError[] = []
  const value: unknown = parseJsonc(content, errors, { allowTrailingComma: true })
  const [error] = errors
  if (error) {
    const before = content.slice(0, error.offset).split('\n')
    const what = printParseErrorCode(error.error)
      .replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ')
      .toLowerCase()
    return {
      fault: `line ${before.length}, column ${(before.at(-1) ?? '').length + 1}: ${what}, so this is no JSON`,
    }
  }
  return isRecord(value) ? { value } : { fault: 'must be an object, in braces: { … }' }
}

function readToml(content: string): ReadFile {
  try {
    // In the shape of JSON: objects as everybody else makes them, dates as texts.
    return { value: JSON.parse(JSON.stringify(parseToml(content))) }
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const [message = ''] = error.message.split('\n')
    return {
      fault: `line ${error.line}, column ${error.column}: ${message.replace(/^Invalid TOML document: /, '')}`,
    }
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** `queues.consumers[0].max_batch_size must be at least 1`. */
function explain({ path, message, code, ...issue }: z.core.$ZodIssue): string {
  const [first = '', ...rest] = path.map(String)
  const field =
    first +
    rest.map((part, index) => (typeof path[index + 1] === 'number' ? `[${part}]` : `.${part}`)).join('')
  const missing = code === 'invalid_type' && issue.input === undefined && field !== ''
  return `${field} ${missing ? 'is missing' : message}`.trim()
}

function saysSomething(value: unknown): boolean {
  if (value === undefined || value === null || value === false) return false
  if (typeof value !== 'object') return true
  return Object.values(value).some(saysSomething)
}

function unavailableIn(config: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.keys(config).flatMap((field) => {
    const what = Object.hasOwn(UNAVAILABLE, field) ? UNAVAILABLE[field] : undefined
    return what !== undefined && saysSomething(config[field])
      ? [`${field} needs ${what}, which this service does not have`]
      : []
  })
}

function remarksOn(config: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.keys(config).flatMap((field) => {
    if (Object.hasOwn(NOT_DONE, field))
      return saysSomething(config[field]) ? [`${field} ${NOT_DONE[field]}`] : []
    const known =
      Object.hasOwn(projectFields.shape, field) ||
      Object.hasOwn(UNAVAILABLE, field) ||
      WITHOUT_EFFECT.has(field)
    return known ? [] : [`${field} is no field that is known here, and is left aside`]
  })
}

async function findMain(folder: string, main: string | undefined): Promise<string | undefined> {
  for (const name of main === undefined ? USUAL_MAINS : [main]) {
    const path = resolve(folder, name)
    if ((await stat(path).catch(() => undefined))?.isFile()) return path
  }
  return undefined
}

function nameOf(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]+/g, '-')
    .replace(/^-+/, '')
  return name.slice(0, 63) || 'worker'
}

function bindingsOf(fields: ProjectFields): readonly WorkerBinding[] {
  return [
    ...fields.queues.producers.map(({ binding, queue, delivery_delay: deliveryDelay }) => ({
      ...{ name: binding, type: 'queue' as const, queueName: queue },
      ...(deliveryDelay !== undefined && { deliveryDelay }),
    })),
    ...fields.analytics_engine_datasets.map(({ binding, dataset }) => ({
      ...{ name: binding, type: 'analytics_engine' as const, dataset: dataset ?? binding },
    })),
    ...fields.services.map(({ binding, service, entrypoint }) => ({
      ...{ name: binding, type: 'service' as const, service },
      ...(entrypoint !== undefined && { entrypoint }),
    })),
  ]
}

/** wrangler's defaults; a wait is in seconds there. */
function consumerOf(
  consumer: ProjectFields['queues']['consumers'][number],
): WorkerProject['consumers'][number] {
  return {
    queue: consumer.queue,
    deadLetterQueue: consumer.dead_letter_queue ?? null,
    batchSize: consumer.max_batch_size ?? 10,
    maxWaitMs: (consumer.max_batch_timeout ?? 5) * 1000,
    maxRetries: consumer.max_retries ?? 3,
    maxConcurrency: consumer.max_concurrency ?? null,
    retryDelay: consumer.retry_delay ?? 0,
  }
}

/** A date may lie after the day on which the runtime was made, since the pages say to take today's: then the runtime's
 *  own counts, which knows of no later change. */
function compatibilityDate(wanted: string | undefined): {
  readonly date: string
  readonly remarks: readonly string[]
} {
  const newest = NEWEST_DATE
  if (wanted === undefined) {
    return { date: newest, remarks: [`compatibility_date is missing; "${newest}" is taken`] }
  }
  if (wanted <= newest) return { date: wanted, remarks: [] }
  const remark = `compatibility_date "${wanted}" is later than the runtime here, which is of "${newest}": that is taken`
  return { date: newest, remarks: [remark] }
}
