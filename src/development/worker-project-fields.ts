import { z } from 'zod'
import { bindingName } from '#contract/workers-bindings.ts'
import { isCron, parseCron } from '#registry/workers/cron.ts'

/** The fields of `wrangler.jsonc` that mean something here, with wrangler's own names. A message follows the name of
 *  its field: `main must be a text`. */
export type ProjectFields = z.output<typeof projectFields>

const text = z.string('must be a text').min(1, 'is empty')
const flag = z.boolean('must be true or false')
const remote = flag.optional()

const list = <Item extends z.ZodType>(item: Item) => z.array(item, 'must be a list').default([])
const fields = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.object(shape, 'must be an object, in braces: { … }')
const texts = z.record(z.string(), z.string('must be a text'), 'must be an object, in braces: { … }')

const whole = (low: number, high: number) =>
  z
    .int(`must be a whole number from ${low} to ${high}`)
    .min(low, `must be at least ${low}`)
    .max(high, `may be ${high} at most`)
    .optional()

const binding = z.string('must be a text').check((context) => {
  const read = bindingName.safeParse(context.value)
  if (read.success) return
  const message = `must be the name of a variable, with ${read.error.issues[0]?.message ?? 'other letters'}`
  context.issues.push({ code: 'custom', message, input: context.value })
})

const queueName = z
  .string('must be a text')
  .regex(
    /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/,
    'must be 1 to 63 letters, digits and inner hyphens',
  )

const cron = z.string('must be a text').check((context) => {
  const parsed = parseCron(context.value)
  if (isCron(parsed)) return
  const message = `is no cron: ${parsed.detail}`
  context.issues.push({ code: 'custom', message, input: context.value })
})

const DAY_S = 86_400

export const MODULE_RULES = ['ESModule', 'CommonJS', 'Text', 'Data', 'CompiledWasm'] as const

export const projectFields = fields({
  name: z
    .string('must be a text')
    .regex(/^[a-z0-9_][a-z0-9_-]{0,62}$/, 'must be 1 to 63 small letters, digits, "-" and "_"')
    .optional(),
  main: text.optional(),
  compatibility_date: z
    .string('must be a date: "YYYY-MM-DD"')
    .refine((date) => z.iso.date().safeParse(date).success, 'must be a date: "YYYY-MM-DD"')
    .optional(),
  compatibility_flags: list(text),
  vars: z.record(binding, z.unknown(), 'must be an object, in braces: { … }').default({}),
  secrets: fields({ required: list(binding) }).optional(),
  send_email: list(
    fields({
      ...{ name: binding, destination_address: text.optional(), remote },
      allowed_destination_addresses: z.array(text, 'must be a list of addresses').max(100).optional(),
      allowed_sender_addresses: z.array(text, 'must be a list of addresses').max(100).optional(),
    }),
  ),
  kv_namespaces: list(fields({ binding, id: text.optional(), preview_id: text.optional(), remote })),
  queues: fields({
    producers: list(fields({ binding, queue: queueName, delivery_delay: whole(0, DAY_S), remote })),
    consumers: list(
      fields({
        ...{ queue: queueName, type: z.literal('worker', 'can only be "worker"').optional() },
        ...{ max_batch_size: whole(1, 100), max_batch_timeout: whole(0, 60) },
        ...{ max_retries: whole(0, 100), max_concurrency: whole(1, 250).nullable() },
        ...{ retry_delay: whole(0, DAY_S), dead_letter_queue: queueName.optional() },
      }),
    ),
  }).default({ producers: [], consumers: [] }),
  analytics_engine_datasets: list(fields({ binding, dataset: text.optional(), remote })),
  services: list(
    fields({
      ...{ binding, service: text, entrypoint: text.optional(), remote },
      environment: z.literal('production', 'can only be "production"').optional(),
    }),
  ),
  triggers: fields({ crons: list(cron) }).default({ crons: [] }),
  addresses: list(text),
  rules: list(
    fields({
      type: z.enum(MODULE_RULES, `must be one of ${MODULE_RULES.join(', ')}`),
      globs: z.array(text, 'must be a list of globs'),
      fallthrough: flag.optional(),
    }),
  ),
  define: texts.default({}),
  alias: texts.default({}),
  tsconfig: text.optional(),
  minify: flag.optional(),
  keep_names: flag.optional(),
  jsx_factory: text.optional(),
  jsx_fragment: text.optional(),
})

/** What needs a product that does not exist here, where it says anything. */
export const UNAVAILABLE: Readonly<Record<string, string>> = {
  agent_memory: 'Agent Memory',
  ai: 'Workers AI',
  ai_search: 'AI Search',
  ai_search_namespaces: 'AI Search',
  artifacts: 'Artifacts',
  assets: 'static assets',
  browser: 'Browser Rendering',
  cloudchamber: 'containers',
  containers: 'containers',
  d1_databases: 'D1',
  data_blobs: 'the service-worker format',
  dispatch_namespaces: 'Workers for Platforms',
  durable_objects: 'Durable Objects',
  flagship: 'Flagship',
  hyperdrive: 'Hyperdrive',
  images: 'Images',
  media: 'Media Transformations',
  mtls_certificates: 'mTLS certificates',
  pages_build_output_dir: 'Pages',
  pipelines: 'Pipelines',
  r2_buckets: 'R2',
  ratelimits: 'rate limits',
  secrets_store_secrets: 'the Secrets Store',
  site: 'static sites',
  stream: 'Stream',
  text_blobs: 'the service-worker format',
  unsafe: 'unsafe bindings',
  unsafe_hello_world: 'unsafe bindings',
  vectorize: 'Vectorize',
  version_metadata: 'version metadata',
  vpc_networks: 'Workers VPC',
  vpc_services: 'Workers VPC',
  wasm_modules: 'the service-worker format',
  worker_loaders: 'Worker Loaders',
  workflows: 'Workflows',
}

/** What changes something that a person should hear of, where it says anything. */
export const NOT_DONE: Readonly<Record<string, string>> = {
  build: 'is not run; run your own build beside this',
  env: 'is left aside: the top level of the file counts',
  find_additional_modules: 'is left aside: what nothing imports is not in the bundle',
  no_bundle: 'is left aside: the Worker is bundled',
  python_modules: 'is left aside: there are no Python Workers here',
  streaming_tail_consumers: 'is left aside: wrangler tail shows events',
  tail_consumers: 'is left aside: wrangler tail shows events',
}

/** What has no meaning on this machine. */
export const WITHOUT_EFFECT: ReadonlySet<string> = new Set([
  ...['$schema', 'access', 'account_id', 'analytics', 'base_dir', 'cache', 'compliance_region', 'connect'],
  ...['dependencies_instrumentation', 'dev', 'exports', 'first_party_worker', 'k2', 'keep_vars', 'limits'],
  ...['logfwdr', 'logpush', 'migrations', 'observability', 'placement', 'preserve_file_names'],
  ...['preview_urls', 'previews', 'route', 'routes', 'send_metrics', 'upload_source_maps', 'workers_dev'],
])
