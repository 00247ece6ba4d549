import { z } from 'zod'
import { EXAMPLE_VERSION } from './example-ids.ts'
import { octets } from './octets.ts'
import { operation } from './operation.ts'
import { pageQuery } from './paging.ts'
import { bindingName, bindingText, shownBinding } from './workers-bindings.ts'

/** Workers as `wrangler` deploys, lists and deletes them (clients.md §3): scripts, versions, deployments, secrets. */
export const WORKERS = '/accounts/{account_id}/workers'
export const SCRIPT = `${WORKERS}/scripts/{script_name}` as const
export const EDIT = { permission: 'Workers:Edit', scope: 'account' } as const
export const READ = { permission: 'Workers:Read', scope: 'account' } as const

const annotations = z
  .object({
    'workers/message': z.string().max(1000, '1000 characters at most').optional(),
    'workers/tag': z.string().max(100, '100 characters at most').optional(),
    'workers/alias': z.string().max(100, '100 characters at most').optional(),
  })
  .meta({ id: 'WorkerAnnotations' })

const shownAnnotations = z.record(z.string(), z.string())

/** Refused where they say something: what they would set up does not exist here. */
const absent = z
  .unknown()
  .refine(
    (value) => value == null || (typeof value === 'object' && Object.keys(value).length === 0),
    'this service has no such thing',
  )
  .optional()

/** The part `metadata` of an upload. What else is in it changes nothing here. */
export const uploadMetadata = z.object({
  main_module: z.string().optional(),
  /** Of a Worker in the format before modules. */
  body_part: z.string().optional(),
  bindings: z
    .array(z.looseObject({ name: bindingName, type: z.string() }))
    .max(256, '256 bindings at most')
    .default([]),
  keep_bindings: z.array(z.string()).max(100).default([]),
  compatibility_date: z
    .string()
    .regex(/^\d{4}-\d{2}-\d{2}$/, 'a date: YYYY-MM-DD')
    // The original's default.
    .default('2021-11-02'),
  compatibility_flags: z.array(z.string().max(100)).max(100, '100 flags at most').default([]),
  annotations: annotations.default({}),
  logpush: z.boolean().nullish(),
  observability: z.record(z.string(), z.unknown()).nullish(),
  tags: z.array(z.string().max(256)).max(20, '20 tags at most').nullish(),
  tail_consumers: absent,
  streaming_tail_consumers: absent,
  migrations: absent,
  containers: absent,
  exports: absent,
  assets: absent,
})

export type UploadMetadata = z.output<typeof uploadMetadata>

const EXAMPLE_UPLOAD = [
  '--example-boundary',
  'Content-Disposition: form-data; name="metadata"',
  '',
  JSON.stringify({
    main_module: 'index.js',
    compatibility_date: '2026-10-01',
    bindings: [
      { name: 'GREETING', type: 'plain_text', text: 'hello' },
      { name: 'API_SECRET', type: 'secret_text', text: 's3cret' },
      { name: 'EMAIL', type: 'send_email' },
    ],
    keep_bindings: ['secret_text'],
  }),
  '--example-boundary',
  'Content-Disposition: form-data; name="index.js"; filename="index.js"',
  'Content-Type: application/javascript+module',
  '',
  'export default { async email(message) { message.setReject("not yet") } }',
  '--example-boundary--',
  '',
].join('\r\n')

const upload = {
  query: z.object({
    bindings_inherit: z.enum(['strict'], '"strict"').optional(),
    excludeScript: z.string().optional(),
  }),
  body: octets(EXAMPLE_UPLOAD),
  bodyTypes: ['multipart/form-data'],
} as const

const script = z
  .object({
    id: z.string().describe('Its name'),
    tag: z.string().describe('Its id, which another Worker of the same name does not have'),
    tags: z.array(z.string()),
    etag: z.string(),
    handlers: z.array(z.string()),
    modified_on: z.string(),
    created_on: z.string(),
    usage_model: z.literal('standard'),
    compatibility_date: z.string(),
    compatibility_flags: z.array(z.string()),
    last_deployed_from: z.literal('wrangler'),
    logpush: z.boolean(),
    has_assets: z.boolean(),
    has_modules: z.boolean(),
  })
  .meta({ id: 'WorkerScript' })

export type ScriptBody = z.output<typeof script>

const uploadedScript = script.extend({
  deployment_id: z.string().describe('The id of the version that runs, without its hyphens'),
  entry_point: z.string(),
  startup_time_ms: z.number(),
})

export const listScripts = operation({
  ...READ,
  id: 'workers.scripts.list',
  method: 'GET',
  path: `${WORKERS}/scripts`,
  summary: 'Lists the Workers of an account.',
  result: z.array(script),
})

export const putScript = operation({
  ...EDIT,
  id: 'workers.scripts.update',
  method: 'PUT',
  path: SCRIPT,
  summary: 'Uploads a Worker, or a new version of one, and runs it at once.',
  ...upload,
  result: uploadedScript,
})

const deletion = z.object({
  /** Although other Workers call it. */
  force: z
    .enum(['true', 'false'], '"true" or "false"')
    .transform((text) => text === 'true')
    .optional(),
})

const removed = {
  ...EDIT,
  method: 'DELETE',
  query: deletion,
  result: z.object({ id: z.string() }),
} as const

export const deleteScript = operation({
  ...removed,
  id: 'workers.scripts.delete',
  path: SCRIPT,
  summary:
    'Deletes a Worker with its versions and secrets; the routing rules that lead to it are switched off.',
})

const environment = z.object({ environment: z.string(), created_on: z.string(), modified_on: z.string() })

export const getService = operation({
  ...READ,
  id: 'workers.services.get',
  method: 'GET',
  path: `${WORKERS}/services/{script_name}`,
  summary: 'Shows a Worker and its one environment.',
  result: z.object({
    id: z.string(),
    created_on: z.string(),
    modified_on: z.string(),
    default_environment: environment.extend({ script }),
    environments: z.array(environment),
  }),
})

export const deleteService = operation({
  ...removed,
  id: 'workers.services.delete',
  path: `${WORKERS}/services/{script_name}`,
  summary: 'Deletes a Worker, as workers.scripts.delete does.',
})

const settings = z.object({
  logpush: z.boolean(),
  observability: z.record(z.string(), z.unknown()),
  tags: z.array(z.string()),
  tail_consumers: z.array(z.unknown()),
})

export const getSettings = operation({
  ...READ,
  id: 'workers.settings.get',
  method: 'GET',
  path: `${SCRIPT}/settings`,
  summary: 'Shows what the newest version of a Worker is bound to, and its settings.',
  result: settings.extend({
    bindings: z.array(shownBinding),
    compatibility_date: z.string(),
    compatibility_flags: z.array(z.string()),
    usage_model: z.literal('standard'),
    annotations: shownAnnotations,
  }),
})

export const getScriptSettings = operation({
  ...READ,
  id: 'workers.script_settings.get',
  method: 'GET',
  path: `${SCRIPT}/script-settings`,
  summary: 'Shows the settings of a Worker that are no version’s.',
  result: settings,
})

export const editScriptSettings = operation({
  ...EDIT,
  id: 'workers.script_settings.edit',
  method: 'PATCH',
  path: `${SCRIPT}/script-settings`,
  summary: 'Changes the settings of a Worker that are no version’s.',
  body: uploadMetadata
    .pick({ logpush: true, observability: true, tags: true, tail_consumers: true })
    .meta({ examples: [{ tags: ['mail'], observability: { enabled: true } }] }),
  result: settings,
})

const version = z
  .object({
    id: z.string(),
    number: z.int(),
    metadata: z.object({
      created_on: z.string(),
      modified_on: z.string(),
      author_id: z.string(),
      author_email: z.string(),
      source: z.literal('wrangler'),
      has_preview: z.boolean(),
    }),
    annotations: shownAnnotations,
  })
  .meta({ id: 'WorkerVersion' })

export type VersionBody = z.output<typeof version>

const wholeVersion = version.extend({
  startup_time_ms: z.number(),
  resources: z.object({
    bindings: z.array(shownBinding),
    script: z.object({
      etag: z.string(),
      handlers: z.array(z.string()),
      last_deployed_from: z.literal('wrangler'),
    }),
    script_runtime: z.object({
      compatibility_date: z.string(),
      compatibility_flags: z.array(z.string()),
      usage_model: z.literal('standard'),
      limits: z.object({}),
    }),
  }),
})

export type WholeVersionBody = z.output<typeof wholeVersion>

export const listVersions = operation({
  ...READ,
  id: 'workers.versions.list',
  method: 'GET',
  path: `${SCRIPT}/versions`,
  summary:
    'Lists the versions of a Worker, the newest first; a hundred are kept, and those that were deployed lately.',
  query: pageQuery.extend({ deployable: z.enum(['true', 'false'], '"true" or "false"').optional() }),
  result: z.object({ items: z.array(version) }),
  paging: 'pages',
})

export const createVersion = operation({
  ...EDIT,
  id: 'workers.versions.create',
  method: 'POST',
  path: `${SCRIPT}/versions`,
  summary: 'Uploads a version of a Worker, which runs once it is deployed.',
  ...upload,
  result: wholeVersion,
})

export const getVersion = operation({
  ...READ,
  id: 'workers.versions.get',
  method: 'GET',
  path: `${SCRIPT}/versions/{version_id}`,
  summary: 'Shows a version of a Worker.',
  result: wholeVersion,
})

const share = z.object({ version_id: z.string(), percentage: z.number() })

const deployment = z
  .object({
    id: z.string(),
    source: z.literal('wrangler'),
    strategy: z.literal('percentage'),
    author_email: z.string(),
    created_on: z.string(),
    annotations: shownAnnotations,
    versions: z.array(share),
  })
  .meta({ id: 'WorkerDeployment' })

export type DeploymentBody = z.output<typeof deployment>

export const listDeployments = operation({
  ...READ,
  id: 'workers.deployments.list',
  method: 'GET',
  path: `${SCRIPT}/deployments`,
  summary: 'Lists the last ten deployments of a Worker; the first is the one that runs.',
  result: z.object({ deployments: z.array(deployment) }),
})

const wholeShare = share.extend({ percentage: z.literal(100, '100: one version runs, whole') })

export const createDeployment = operation({
  ...EDIT,
  id: 'workers.deployments.create',
  method: 'POST',
  path: `${SCRIPT}/deployments`,
  summary: 'Runs a version of a Worker from now on, in place of the one that runs.',
  query: z.object({ force: z.string().optional() }),
  body: z
    .object({
      strategy: z.literal('percentage', '"percentage"').default('percentage'),
      versions: z.array(wholeShare).min(1).max(1, 'one version: a Worker is not split between two'),
      annotations: annotations.default({}),
    })
    .meta({ examples: [{ versions: [{ version_id: EXAMPLE_VERSION, percentage: 100 }] }] }),
  result: deployment,
})

const secret = z.object({ name: z.string(), type: z.literal('secret_text') }).meta({ id: 'WorkerSecret' })
export type SecretBody = z.output<typeof secret>

const secretText = z.object({
  name: bindingName,
  text: bindingText,
  type: z.literal('secret_text', '"secret_text"').default('secret_text'),
})

export const listSecrets = operation({
  ...READ,
  id: 'workers.secrets.list',
  method: 'GET',
  path: `${SCRIPT}/secrets`,
  summary: 'Lists the names of a Worker’s secrets.',
  result: z.array(secret),
})

export const putSecret = operation({
  ...EDIT,
  id: 'workers.secrets.update',
  method: 'PUT',
  path: `${SCRIPT}/secrets`,
  summary: 'Sets a secret of a Worker, which runs with it at once.',
  body: secretText.meta({ examples: [{ name: 'API_SECRET', text: 's3cret', type: 'secret_text' }] }),
  result: secret,
})

const secretQuery = z.object({ url_encoded: z.string().optional() })

export const getSecret = operation({
  ...READ,
  id: 'workers.secrets.get',
  method: 'GET',
  path: `${SCRIPT}/secrets/{secret_name}`,
  summary: 'Shows that a Worker has a secret; nobody sees its text.',
  query: secretQuery,
  result: secret,
})

export const deleteSecret = operation({
  ...EDIT,
  id: 'workers.secrets.delete',
  method: 'DELETE',
  path: `${SCRIPT}/secrets/{secret_name}`,
  summary: 'Takes a secret from a Worker, which runs without it at once.',
  query: secretQuery,
  result: z.null(),
})

const MOST_SECRETS = 100

export const bulkSecrets = operation({
  ...EDIT,
  id: 'workers.secrets.bulk',
  method: 'PATCH',
  path: `${SCRIPT}/secrets-bulk`,
  summary: 'Sets secrets of a Worker and takes others away (null), all in one.',
  body: z
    .object({
      secrets: z
        .record(bindingName, z.object({ text: bindingText }).nullable())
        .refine((all) => Object.keys(all).length <= MOST_SECRETS, `${MOST_SECRETS} secrets at most`),
    })
    .meta({ examples: [{ secrets: { TOKEN: { text: 's3cret' }, OLD: null } }] }),
  result: z.array(secret),
})

/** wrangler's `versions secret put`, `bulk` and `delete`. What else a version has is no matter of this operation, and
 *  refused. */
export const patchLatestVersion = operation({
  ...EDIT,
  id: 'workers.versions.patch_latest',
  method: 'PATCH',
  path: `${WORKERS}/workers/{script_name}/versions/latest`,
  summary:
    'Makes a version of a Worker’s newest that differs in secrets alone (null takes one away), and runs once it is deployed.',
  body: z
    .strictObject({
      env: z
        .record(bindingName, secretText.pick({ text: true, type: true }).nullable())
        .refine((all) => Object.keys(all).length <= MOST_SECRETS, `${MOST_SECRETS} secrets at most`),
      annotations: annotations.default({}),
    })
    .meta({ examples: [{ env: { TOKEN: { type: 'secret_text', text: 's3cret' }, OLD: null } }] }),
  result: wholeVersion,
})

export const workerOperations = [
  ...[listScripts, putScript, getService, getSettings, getScriptSettings, editScriptSettings],
  ...[listVersions, createVersion, patchLatestVersion, getVersion, listDeployments, createDeployment],
  ...[deleteScript, deleteService, listSecrets, putSecret, bulkSecrets, getSecret, deleteSecret],
]
