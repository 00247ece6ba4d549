// The `analytics_engine` binding. Several indexes are allowed, so that workerd's own, which knows one, does not do.
import workers from 'cloudflare-internal:workers'

export default function analyticsEngine({ HOST }) {
  return {
    writeDataPoint(point) {
      const read = readPoint(point ?? {})
      // A sum that went wrong is no reason for a handler to fail.
      if (!read.doubles.every((value) => Number.isFinite(value))) {
        // oxlint-disable-next-line no-console -- the Worker's own, which its author sees in the tail
        console.warn(NOT_FINITE)
        return
      }
      workers.waitUntil(HOST.fetch('http://host/data-point', { method: 'POST', body: JSON.stringify(read) }))
    },
  }
}

const NOT_FINITE = 'writeDataPoint(): a double is no finite number, so the data point is not written.'

// The host keeps these too; here, because nobody awaits its answer.
const MOST_VALUES = 20
const LARGEST_INDEX = 96
const LARGEST_BLOBS = 16_384

/** Throws a TypeError for what a dataset does not take, as the original does: it would be lost in silence. */
function readPoint(point) {
  if (typeof point !== 'object') refuse('the data point must be an object.')
  const indexes = listOf(point.indexes, 'indexes').map((value) => textOf(value, 'indexes'))
  const blobs = listOf(point.blobs, 'blobs').map((value) => textOf(value, 'blobs'))
  const doubles = listOf(point.doubles, 'doubles')
  if (!doubles.every((value) => typeof value === 'number')) refuse('doubles must be numbers.')
  const long = indexes.findIndex((text) => octetsOf(text) > LARGEST_INDEX)
  if (long !== -1) refuse(`Size of indexes[${long}] exceeds ${LARGEST_INDEX} bytes.`)
  if (blobs.reduce((sum, text) => sum + octetsOf(text), 0) > LARGEST_BLOBS)
    refuse(`Cumulative size of blobs exceeds ${LARGEST_BLOBS} bytes.`)
  return { indexes, blobs, doubles }
}

function listOf(given, name) {
  if (given === undefined || given === null) return []
  if (!Array.isArray(given)) refuse(`${name} must be an array.`)
  if (given.length > MOST_VALUES) refuse(`Maximum of ${MOST_VALUES} ${name} supported.`)
  return given
}

/** Indexes and blobs may be buffers, which are text; null counts as nothing said. */
function textOf(value, name) {
  if (value === null || value === undefined) return ''
  if (typeof value === 'string') return value
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return new TextDecoder().decode(value)
  return refuse(`${name} must be strings or buffers.`)
}

function octetsOf(text) {
  return new TextEncoder().encode(text).length
}

function refuse(reason) {
  throw new TypeError(`writeDataPoint(): ${reason}`)
}
