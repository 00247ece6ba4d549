import type { FastifyInstance } from 'fastify'
import { pageInfo } from '#contract/paging.ts'
import {
  createDeployment,
  createVersion,
  getVersion,
  listDeployments,
  listVersions,
} from '#contract/workers.ts'
import { serveOperation } from './serve-operation.ts'
import type { openUploads } from './upload-worker.ts'
import { deploymentBody, versionBody, wholeVersionBody } from './worker-bodies.ts'
import { NO_SCRIPT, NO_VERSION } from './workers-faults.ts'
import { authorOf, findScript, noteWorker, type WorkersWorld } from './workers-world.ts'

/** `…/scripts/{script_name}/versions` and `…/deployments`. */
export function workerVersionRoutes(
  api: FastifyInstance,
  world: WorkersWorld,
  uploads: ReturnType<typeof openUploads>,
): void {
  const { workers, accounts, now } = world

  serveOperation(api, { operation: listVersions, world }, async (call) => {
    const worker = await findScript(world, call)
    if (!worker) return NO_SCRIPT
    const { page, per_page: perPage } = call.query
    const all = await workers.versions(worker)
    const items = all.slice((page - 1) * perPage, page * perPage).map(versionBody)
    return { result: { items }, info: pageInfo(call.query, items.length, all.length) }
  })

  serveOperation(api, { operation: createVersion, world, large: uploads.large }, async (call) => {
    const made = await uploads.take(call, { deploy: false, create: false })
    return 'status' in made ? made : { result: wholeVersionBody(made.version) }
  })

  serveOperation(api, { operation: getVersion, world }, async (call) => {
    const worker = await findScript(world, call)
    if (!worker) return NO_SCRIPT
    const version = await workers.versionRecord(worker, call.params['version_id'] ?? '')
    return version ? { result: wholeVersionBody(version) } : NO_VERSION
  })

  serveOperation(api, { operation: listDeployments, world }, async (call) => {
    const worker = await findScript(world, call)
    if (!worker) return NO_SCRIPT
    return { result: { deployments: (await workers.deployments(worker)).map(deploymentBody) } }
  })

  serveOperation(api, { operation: createDeployment, world }, async (call) => {
    const worker = await findScript(world, call)
    if (!worker) return NO_SCRIPT
    const { versions, annotations } = call.body
    const said = Object.entries(annotations).filter((each): each is [string, string] => each[1] !== undefined)
    const deployment = await workers.deploy(
      worker,
      {
        versionId: versions[0]?.version_id ?? '',
        author: await authorOf(call.by, accounts),
        annotations: Object.fromEntries(said),
      },
      ({ before, after }) => [
        noteWorker(call, now(), {
          ...{ verb: 'deploy', worker: before, before: { version_id: before.currentVersionId } },
          ...(after && { after: { version_id: after.currentVersionId } }),
        }),
      ],
    )
    return deployment ? { result: deploymentBody(deployment) } : NO_VERSION
  })
}
