import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { dkimVerify } from 'mailauth/lib/dkim/verify.js'
import { aDraft, PLATFORM } from '#test/varied-drafts.ts'
import { composeMessage } from './compose-message.ts'
import { signMessage } from './sign-message.ts'

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const IDENTITY = { domain: 'example.com', selector: 'cf-bounce', key: privateKey }
const RECORD = `v=DKIM1; k=rsa; p=${publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}`

test('any draft, signed, verifies with mailauth and is aligned with From', async () => {
  await fc.assert(
    fc.asyncProperty(aDraft, async (draft) => {
      const content = await composeMessage(draft, PLATFORM)
      const signed = await signMessage(content, IDENTITY, PLATFORM.date)
      assert.ok(signed.subarray(-content.length).equals(content))
      const resolver = () => Promise.resolve([[RECORD]])
      const { results } = await dkimVerify(signed, { resolver, curTime: PLATFORM.date })
      assert.deepEqual(
        results.map(({ status }) => [status.result, status.aligned]),
        [['pass', 'example.com']],
      )
    }),
    { numRuns: 200 },
  )
})
