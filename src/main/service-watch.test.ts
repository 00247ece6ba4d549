import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import { openLog } from '#observe/log.ts'
import type { ServiceCheck } from '#registry/domains/service-check.ts'
import type { ServiceItem } from '#registry/domains/service-item.ts'
import { openServiceWatch } from './service-watch.ts'

const item = (advice: string | null): ServiceItem => ({
  ...{ subject: 'spf', name: '_spf.mx.service.example', expected: [], found: [], advice },
  state: advice === null ? 'ready' : 'wrong',
})

test('what is wrong is told once, again when it changes, and when it is mended', async () => {
  const lines: string[] = []
  const log = openLog(
    'info',
    new Writable({
      write(line: Buffer, _encoding, done) {
        // One JSON object a line.
        lines.push(String(JSON.parse(line.toString()).msg))
        done()
      },
    }),
  )
  let advice: string | null = null
  let looks = 0
  const check = async (): Promise<ServiceCheck> => {
    looks += 1
    return { checkedAt: looks, ready: advice === null, items: [item(advice)] }
  }
  const watch = openServiceWatch({ check, log })
  const said = async () => {
    await watch.look()
    return lines.splice(0)
  }
  assert.deepEqual(await said(), [])
  advice = 'Add a.'
  assert.deepEqual(await said(), ['service domain: Add a.'])
  assert.deepEqual(await said(), [])
  advice = 'Add b.'
  assert.deepEqual(await said(), ['service domain: Add b.'])
  assert.equal((await watch.last()).ready, false)
  advice = null
  assert.deepEqual(await said(), ['service domain: in order again'])

  const before = looks
  await Promise.all([watch.look(), watch.look(), watch.last()])
  assert.equal(looks, before + 1)
})
