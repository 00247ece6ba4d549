import type { FastifyInstance } from 'fastify'
import { openUploads } from './upload-worker.ts'
import { workerDomainRoutes } from './worker-domains.ts'
import { workerPlaceRoutes } from './worker-places.ts'
import { workerRouteRoutes } from './worker-routes.ts'
import { workerSecretRoutes } from './worker-secrets.ts'
import { workerTailRoutes } from './worker-tails.ts'
import { workerTestMessageRoutes } from './worker-test-message.ts'
import { workerVersionRoutes } from './worker-versions.ts'
import { workerRoutes } from './workers.ts'
import type { WorkersWorld } from './workers-world.ts'

/** Everything about Workers and where they are reached. */
export function workersDoor(api: FastifyInstance, world: WorkersWorld): void {
  const uploads = openUploads(world)
  workerRoutes(api, world, uploads)
  workerVersionRoutes(api, world, uploads)
  workerSecretRoutes(api, world)
  workerPlaceRoutes(api, world)
  workerRouteRoutes(api, world)
  workerDomainRoutes(api, world)
  workerTailRoutes(api, world)
  workerTestMessageRoutes(api, world)
}
