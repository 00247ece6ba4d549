import assert from 'node:assert/strict'
import test from 'node:test'
import dnsPacket, { type OptAnswer, type Packet } from 'dns-packet'
import * as fc from 'fast-check'
import { type Authority, authorityOver } from '#registry/domains/authority.ts'
import { inside, zoneContents } from '#registry/domains/zone-contents.ts'
import { answerMessage, serverFailure, truncatedAnswer } from './dns-answer.ts'
import { responseCode } from './response-code.ts'

const zone = zoneContents({
  apex: 'z.example',
  nameServers: ['ns1.posthorn.test', 'ns2.posthorn.test'],
  responsible: 'hostmaster.posthorn.test',
  serial: 1,
  records: [{ name: 'z.example', ttl: 300, type: 'A', data: '192.0.2.1' }],
})
const authority = authorityOver(async (name) => (inside(name, zone.apex) ? zone : undefined))

function query(name: string, packet: Partial<Packet> = {}, type = 'A'): Buffer {
  // dns-packet takes every type it knows.
  return dnsPacket.encode({ type: 'query', id: 7, questions: [{ type: type as 'A', name }], ...packet })
}

function edns(ednsVersion = 0): Partial<Packet> {
  const opt: OptAnswer = {
    ...{ type: 'OPT', name: '.', udpPayloadSize: 1232, extendedRcode: 0, ednsVersion },
    ...{ flags: 0, flag_do: false, options: [] },
  }
  return { additionals: [opt] }
}

async function codeOf(message: Buffer, from: Authority = authority): Promise<string | undefined> {
  const response = await answerMessage(message, 'udp', from)
  return response && responseCode(response)
}

test('each code that the door gives has its word, with EDNS and without', async () => {
  for (const more of [{}, edns()]) {
    assert.equal(await codeOf(query('z.example', more)), 'noerror')
    assert.equal(await codeOf(query('z.example', more, 'TXT')), 'noerror')
    assert.equal(await codeOf(query('no.z.example', more)), 'nxdomain')
    assert.equal(await codeOf(query('elsewhere.example', more)), 'refused')
    assert.equal(await codeOf(query('z.example', { flags: 5 << 11, ...more })), 'notimp')
    const failure = serverFailure(query('z.example', more))
    const truncated = truncatedAnswer(query('z.example', more))
    assert.ok(failure && truncated)
    assert.deepEqual([responseCode(failure), responseCode(truncated)], ['servfail', 'truncated'])
  }
  assert.equal(await codeOf(query('z.example', edns(1))), 'badvers')
  assert.equal(await codeOf(query('z.example').subarray(0, 20)), 'formerr')
})

test('whatever somebody asks, the word is one of these', async () => {
  const header = fc.uint8Array({ minLength: 12, maxLength: 60 }).map((octets) => {
    const message = Buffer.from(octets)
    // A query with one question, as far as it says.
    message[2] = (message[2] ?? 0) & 0x7f
    message.writeUInt16BE(1, 4)
    return message
  })
  const words = /^(noerror|formerr|servfail|nxdomain|notimp|refused|badvers|truncated)$/
  await fc.assert(
    fc.asyncProperty(header, async (message) => {
      const code = await codeOf(message)
      assert.ok(code === undefined || words.test(code), `${code}`)
    }),
    { numRuns: 500 },
  )
})
