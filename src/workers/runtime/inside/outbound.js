// Stands between a Worker and the internet where some host names are the service's own.

export default {
  async fetch(request, { HOST, OWN_NAMES }) {
    const { hostname } = new URL(request.url)
    if (OWN_NAMES.includes(hostname)) return HOST.fetch(request)
    try {
      return await fetch(request)
    } catch (error) {
      throw explained(error, hostname)
    }
  },
}

/** Of what it may not connect to, and of a name that is none, workerd says nothing but that something is wrong inside. */
function explained(error, hostname) {
  if (!(error instanceof Error && error.message.startsWith('internal error'))) return error
  return new Error(
    `fetch(): '${hostname}' cannot be reached. Workers reach public addresses alone; it has none, or is no host name that exists.`,
  )
}
