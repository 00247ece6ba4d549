// Stands between a Worker and the internet where some host names are the service's own.

export default {
  fetch(request, { HOST, OWN_NAMES }) {
    return OWN_NAMES.includes(new URL(request.url).hostname) ? HOST.fetch(request) : fetch(request)
  },
}
