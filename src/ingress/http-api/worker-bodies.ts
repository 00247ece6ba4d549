import type { DeploymentBody, ScriptBody, VersionBody, WholeVersionBody } from '#contract/workers.ts'
import type { Deployment, VersionRecord, Worker } from '#registry/workers/worker.ts'
import { apiTime } from './api-time.ts'
import { bindingBody } from './read-binding.ts'

/** Of the version that is meant: the newest, or the one that was just made. */
export function scriptBody(worker: Worker, { code }: VersionRecord): ScriptBody {
  return {
    ...{ id: worker.name, tag: worker.id, tags: [...worker.settings.tags], etag: code.etag },
    ...{ handlers: [...code.handlers], usage_model: 'standard', last_deployed_from: 'wrangler' },
    ...{ modified_on: apiTime(worker.modifiedAt), created_on: apiTime(worker.createdAt) },
    compatibility_date: code.compatibilityDate,
    compatibility_flags: [...code.compatibilityFlags],
    ...{ logpush: worker.settings.logpush, has_assets: false, has_modules: true },
  }
}

export function uploadedBody(worker: Worker, version: VersionRecord) {
  return {
    ...scriptBody(worker, version),
    deployment_id: version.id.replaceAll('-', ''),
    entry_point: version.code.mainModule,
    startup_time_ms: version.code.startupMs,
  }
}

export function settingsBody({ settings }: Worker) {
  const { logpush, observability, tags } = settings
  return { logpush, observability: { ...observability }, tags: [...tags], tail_consumers: [] }
}

export function versionBody({ id, number, createdAt, author, annotations }: VersionRecord): VersionBody {
  const time = apiTime(createdAt)
  return {
    ...{ id, number, annotations: { ...annotations } },
    metadata: {
      ...{ created_on: time, modified_on: time, author_id: author.id, author_email: author.email },
      ...{ source: 'wrangler', has_preview: false },
    },
  }
}

export function wholeVersionBody(version: VersionRecord): WholeVersionBody {
  const { code } = version
  return {
    ...versionBody(version),
    startup_time_ms: code.startupMs,
    resources: {
      bindings: version.bindings.map(bindingBody),
      script: { etag: code.etag, handlers: [...code.handlers], last_deployed_from: 'wrangler' },
      script_runtime: {
        compatibility_date: code.compatibilityDate,
        compatibility_flags: [...code.compatibilityFlags],
        ...{ usage_model: 'standard', limits: {} },
      },
    },
  }
}

export function deploymentBody({
  id,
  versionId,
  createdAt,
  author,
  annotations,
}: Deployment): DeploymentBody {
  return {
    ...{ id, source: 'wrangler', strategy: 'percentage', author_email: author.email },
    ...{ created_on: apiTime(createdAt), annotations: { ...annotations } },
    versions: [{ version_id: versionId, percentage: 100 }],
  }
}
