import { subscribe } from 'node:diagnostics_channel'
import { appendFileSync } from 'node:fs'

/** Loaded into an instance (`--import`), it writes down every route of its HTTP door as it is registered, a line each. */
const file = process.env['LIST_ROUTES_TO']
if (file !== undefined) {
  subscribe('fastify.initialization', (message) => {
    // Fastify publishes itself (its documentation, Hooks: diagnostics channel).
    const { fastify } = message as { readonly fastify: import('fastify').FastifyInstance }
    fastify.addHook('onRoute', ({ method, url }) => {
      for (const each of [method].flat()) appendFileSync(file, `${each} ${url}\n`)
    })
  })
}
