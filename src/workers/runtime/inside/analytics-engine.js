// The `analytics_engine` binding. Several indexes are allowed, so that workerd's own, which knows one, does not do.
import workers from 'cloudflare-internal:workers'

export default function analyticsEngine({ HOST }) {
  return {
    writeDataPoint(point) {
      const body = JSON.stringify(point ?? {}, plain)
      workers.waitUntil(HOST.fetch('http://host/data-point', { method: 'POST', body }))
    },
  }
}

/** Indexes and blobs may be buffers, which are text. */
function plain(_key, value) {
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return new TextDecoder().decode(value)
  return value
}
