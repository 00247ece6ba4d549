import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serviceNames } from '#model/service.ts'
import { LOOPBACK_ADDRESSES, relayMechanisms, serviceZone } from './service-zone.ts'

const service = serviceNames('posthorn.test')

function spfOf(relays?: readonly string[]): unknown {
  const zone = serviceZone(service, { ...LOOPBACK_ADDRESSES, ...(relays && { relays }) }, undefined)
  return zone.records.get(service.spf)?.map((record) => record.type === 'TXT' && record.text)
}

test('the service’s SPF record lists its sources, and then the smarthosts that mail leaves through', () => {
  assert.deepEqual(spfOf(), ['v=spf1 ip4:127.0.0.0/8 ip6:::1 ~all'])
  assert.deepEqual(spfOf([]), spfOf())
  assert.deepEqual(spfOf(['include:spf.provider.example', 'a:relay.example.com']), [
    'v=spf1 ip4:127.0.0.0/8 ip6:::1 include:spf.provider.example a:relay.example.com ~all',
  ])
})

test('a smarthost is authorised by its name or address, unless strangers could not look it up', () => {
  assert.deepEqual(relayMechanisms('Relay.Example.com'), ['a:relay.example.com'])
  assert.deepEqual(relayMechanisms('1.1.1.1'), ['ip4:1.1.1.1'])
  assert.deepEqual(relayMechanisms('2606:4700::1'), ['ip6:2606:4700::1'])
  for (const host of ['relay', 'localhost', '127.0.0.1', '10.0.0.1', '::1', 'fd00::1'])
    assert.deepEqual(relayMechanisms(host), [])
})
