import assert from 'node:assert/strict'
import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import Fastify from 'fastify'
import { until } from '#test/queue-world.ts'
import { openExportPlaces } from './export-places.ts'
import { exportStream, type ReadingPace } from './export-stream.ts'

const MIB = 1_048_576
/** Odd in length, so that pieces end within characters. */
const LINE = `${'漢'.repeat(333)}\n`
const HOUR = 3_600_000

async function* lines(count: number, each: () => Promise<unknown> = async () => undefined) {
  for (let written = 0; written < count; written++) {
    await each()
    yield LINE.repeat(100)
  }
}

/** Exports of one account, so long that they do not lie between two sockets. */
async function openExports(pages: () => AsyncIterable<string>, pace: ReadingPace) {
  const app = Fastify()
  const places = openExportPlaces()
  app.get('/export', async (_request, reply) => {
    const giveBack = places.take('a')
    if (typeof giveBack !== 'function') return reply.code(giveBack.status).send(giveBack.detail)
    return reply.type('text/csv').send(exportStream(pages(), pace).once('close', giveBack))
  })
  const url = `${await app.listen({ host: '127.0.0.1', port: 0 })}/export`
  async function asked(): Promise<IncomingMessage> {
    const [response] = (await once(get(url), 'response')) as [IncomingMessage]
    return response.on('error', () => {})
  }
  return {
    url,
    asked,
    /** The same once there is a place for it. */
    place: () =>
      until(async () => {
        const response = await asked()
        return response.statusCode === 200 ? response : void response.resume()
      }),
    async [Symbol.asyncDispose]() {
      app.server.closeAllConnections()
      await app.close()
    },
  }
}

test('an export that is read an octet now and then gives its place to others', async () => {
  const pace = { octetsPerSecond: MIB, patienceMs: 300, longestMs: HOUR }
  await using door = await openExports(() => lines(Number.POSITIVE_INFINITY), pace)
  const slow = [await door.asked(), await door.asked()]
  const refused = await fetch(door.url)
  assert.equal(refused.status, 429)
  assert.match(await refused.text(), /This account has 2 exports under way/)
  const reading = setInterval(() => slow.map((response) => response.read(1) as unknown), 10)
  try {
    // Two: one may be given up some time after the other. What is resumed before is read, and without end.
    const next = [await door.place(), await door.place()]
    for (const response of next) response.destroy()
  } finally {
    clearInterval(reading)
  }
  for (const response of slow) await assert.rejects(once(response.resume(), 'end'), /aborted/)
})

test('an export that takes too long in all is ended, however fast it is read', async () => {
  const pace = { octetsPerSecond: 1, patienceMs: HOUR, longestMs: 300 }
  await using door = await openExports(() => lines(Number.POSITIVE_INFINITY, () => sleep(5)), pace)
  await assert.rejects(once((await door.asked()).resume(), 'end'), /aborted/)
})

test('an export is whole where it is read, and waiting for its pages counts against nobody', async () => {
  const pace = { octetsPerSecond: MIB, patienceMs: 100, longestMs: HOUR }
  await using door = await openExports(() => lines(5, () => sleep(150)), pace)
  assert.equal(await (await fetch(door.url)).text(), LINE.repeat(500))
})

test('a few accounts do not take all places', () => {
  const places = openExportPlaces()
  const take = (accountId: string) => {
    const taken = places.take(accountId)
    return typeof taken === 'function' ? taken : taken.detail
  }
  const free = 'Too many exports at once; try again.'
  const [one] = [take('a'), take('a'), take('b'), take('b')]
  assert.match(String(take('a')), /This account has 2 exports/)
  for (const account of ['c', 'd', 'e', 'f']) assert.equal(typeof take(account), 'function')
  assert.equal(take('g'), free)
  assert.ok(typeof one === 'function')
  one()
  // Given back once, however often that is said.
  one()
  assert.equal(take('c'), free)
  assert.equal(typeof take('g'), 'function')
  assert.equal(take('h'), free)
})
