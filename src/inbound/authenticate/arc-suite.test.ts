import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { suiteZone } from '#test/suite-zone.ts'
import { answerDns } from './dns-question.ts'
import { verifyMail } from './verify-mail.ts'

interface Scenario {
  readonly description: string
  readonly tests: Readonly<Record<string, { readonly message: string; readonly cv: string }>>
  readonly 'txt-records': Readonly<Record<string, string>>
}

const FILE = `${import.meta.dirname}/../../../../shared/suites/arc/arc-draft-validation-tests.json`
const skip = existsSync(FILE) ? false : 'the suite is not here'
const scenarios: Scenario[] = skip ? [] : JSON.parse(readFileSync(FILE, 'utf8'))

/** The suite was written for a draft. */
const DECLINED: Readonly<Record<string, string>> = {
  ams_fields_h_empty: 'RFC 6376 §5.4 has From signed, so an empty h= is no signature',
  ams_fields_c_na:
    'RFC 8617 §4.1.2 takes c= from DKIM, where absent means simple/simple, not relaxed/relaxed',
}

test('the ARC suite is whole', { skip }, () => {
  assert.equal(scenarios.flatMap(({ tests }) => Object.keys(tests)).length, 171)
})

for (const { description, tests, 'txt-records': texts } of scenarios) {
  test(`the ARC suite: ${description}`, async () => {
    const zone = Object.entries(texts ?? {}).map(([name, text]) => [name, [{ TXT: text }]] as const)
    const resolver = suiteZone(Object.fromEntries(zone))
    const failed: string[] = []
    for (const [id, { message, cv }] of Object.entries(tests)) {
      const content = { kind: 'memory', bytes: Buffer.from(message.replaceAll('\n', '\r\n')) } as const
      const session = { remoteAddress: '192.0.2.1', helo: 'mail.example.org', mailFrom: 'jqd@d1.example.org' }
      const { arc } = await verifyMail(
        { content, ...session },
        { ask: (question) => answerDns(resolver, question) },
      )
      // An empty expectation leaves it open.
      if (cv !== '' && arc.result !== cv.toLowerCase()) failed.push(id)
    }
    assert.deepEqual(
      failed,
      Object.keys(tests).filter((id) => id in DECLINED),
    )
  })
}
