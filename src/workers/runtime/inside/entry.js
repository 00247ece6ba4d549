// The host's way into a customer's isolate. A request becomes a ForwardableEmailMessage here, so that `setReject()`
// is synchronous, and errors are the isolate's own.
import { WorkerEntrypoint } from 'cloudflare:workers'

/** Errors of ours that a handler has not caught; what nobody awaited must not pass in silence. */
const uncaught = new WeakSet()
addEventListener('unhandledrejection', ({ reason }) => {
  if (reason !== null && typeof reason === 'object') uncaught.add(reason)
})

export function entryOf(user, hostActions) {
  return class extends WorkerEntrypoint {
    async fetch(request) {
      const { ctx, env } = this
      const entrypoint = request.headers.get('x-posthorn-entrypoint')
      if (entrypoint !== null) return fetchEntrypoint(user[entrypoint], request, { ctx, env })
      if (new URL(request.url).pathname === '/handlers') return Response.json(handlersOf(user.default))
      const actions = hostActions ?? env['posthorn:host']
      const meta = JSON.parse(utf8(request.headers.get('x-posthorn-email')))
      const headers = meta.headers ?? (await actions.headers(meta.token))
      const waited = noteWaits(ctx)
      await runEmail({
        meta: { ...meta, headers },
        raw: request.body,
        actions,
        target: user.default,
        ctx,
        env,
      })
      // With the answer workerd takes the rest of `raw` away.
      await Promise.race([allOf(waited), scheduler.wait(LONGEST_WAIT_MS)])
      return new Response()
    }
  }
}

/** For so long `raw` can be read once the handler has returned. */
const LONGEST_WAIT_MS = 30_000

/** What `waitUntil()` is given from now on. */
function noteWaits(ctx) {
  const waited = []
  const { waitUntil } = ctx
  ctx.waitUntil = (promise) => {
    waitUntil.call(ctx, promise)
    waited.push(promise)
  }
  return waited
}

/** Until all is over that was asked for, and what was asked for meanwhile. */
async function allOf(promises) {
  for (let over = 0; over < promises.length; ) {
    const [...known] = promises
    await Promise.allSettled(known)
    over = known.length
  }
}

async function runEmail({ meta, raw, actions, target, ctx, env }) {
  /** @type {{ reason?: string, over: boolean, asked: Promise<unknown>[] }} */
  const state = { reason: undefined, over: false, asked: [] }
  const message = messageOf({ meta, raw, actions, state })
  const verdict = {}
  try {
    const handler = isClass(target) ? new target(ctx, env) : target
    if (typeof handler?.email !== 'function') {
      throw new TypeError('Handler does not export an email() function.')
    }
    await handler.email(message, env, ctx)
  } catch (error) {
    verdict.exception = described(error)
  }
  // What was asked for before the handler returned is done, awaited or not, and what follows on it. That is asked for in
  // the same turn, and rejections that nobody handles are told of between two.
  let results = []
  while (results.length < state.asked.length) {
    results = await Promise.allSettled(state.asked)
    await scheduler.wait(0)
  }
  state.over = true
  const lost = results.find(({ reason }) => reason !== undefined && uncaught.has(reason))
  if (lost) verdict.exception ??= described(lost.reason)
  if (state.reason !== undefined) verdict.reason = state.reason
  await actions.settle(meta.token, verdict)
}

const OVER = { code: 'E_INTERNAL_SERVER_ERROR', message: 'The message is settled: its handler has returned.' }

function messageOf({ meta, raw, actions, state }) {
  const { token, from, to, rawSize, canBeForwarded, authentication } = meta
  const ask = (action, ...wish) => {
    if (state.over) return Promise.reject(Object.assign(new Error(OVER.message), OVER))
    const asked = actions[action](token, ...wish)
    // The caller's promise is one of its own: only that one is looked at for who awaits it.
    state.asked.push(asked)
    return asked.then((result) => result)
  }
  const facts = {
    ...{ from, to, headers: headersOf(meta.headers), raw: raw ?? new Response('').body },
    ...{ rawSize, canBeForwarded, authentication },
  }
  // Who writes to one of these hears of it, as from the original's: what a handler decides, it says with the functions.
  for (const fact of Object.keys(facts)) Object.defineProperty(facts, fact, { writable: false })
  return Object.assign(facts, {
    setReject(reason) {
      const text = String(reason)
      if (!state.over) state.reason = text.slice(0, MOST_REASON)
    },
    forward: (rcptTo, headers) => ask('forward', rcptTo, headers),
    reply: (reply) => ask('reply', reply),
  })
}

/** Fields that are none for `Headers` (a space in the name, a NUL) are in `raw` alone. */
function headersOf(fields) {
  const headers = new Headers()
  for (const [name, value] of fields) {
    try {
      headers.append(name, value)
    } catch {}
  }
  return headers
}

function fetchEntrypoint(target, request, { ctx, env }) {
  const handler = isClass(target) ? new target(ctx, env) : target
  if (typeof handler?.fetch !== 'function') return new Response('No such entrypoint', { status: 404 })
  const given = new Request(request)
  given.headers.delete('x-posthorn-entrypoint')
  return handler.fetch(given, env, ctx)
}

function handlersOf(target) {
  const found = isClass(target) ? target.prototype : target
  return ['fetch', 'email', 'queue', 'scheduled', 'tail'].filter(
    (name) => typeof found?.[name] === 'function',
  )
}

function isClass(target) {
  return typeof target === 'function'
}

/** In UTF-16 units: together, whatever is in them, they fit into the header that the verdict travels in. */
const MOST_NAME = 400
const MOST_REASON = 1000
const MOST_MESSAGE = 2000
const MOST_STACK = 8000

/** Anything can be thrown, and what it says of itself may throw too. */
function described(error) {
  const part = (read, most, otherwise) => {
    try {
      return String(read()).slice(0, most)
    } catch {
      return otherwise
    }
  }
  const message = (read) => part(read, MOST_MESSAGE, 'What was thrown cannot be shown.')
  if (!(error instanceof Error)) return { name: 'Error', message: message(() => error) }
  return {
    name: part(() => error.name, MOST_NAME, 'Error'),
    message: message(() => error.message),
    stack: part(() => error.stack ?? '', MOST_STACK, ''),
  }
}

function utf8(base64) {
  return new TextDecoder().decode(Uint8Array.from(atob(base64), (char) => char.charCodeAt(0)))
}
