import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { type SuiteZone, suiteZone } from '#test/suite-zone.ts'
import { checkSpf } from './check-spf.ts'
import { answerDns, dnsFunction } from './dns-question.ts'

interface Scenario {
  readonly description: string
  readonly zone: SuiteZone
  readonly tests: Readonly<Record<string, Case>>
}

interface Case {
  readonly helo: string
  readonly host: string
  readonly mailfrom: string
  readonly result: string | readonly string[]
}

/** Published suites; `../shared/suites/README.md` tells their number. */
const SUITES = { 'RFC 7208': ['rfc7208-tests.json', 203], 'RFC 4408': ['rfc4408-tests.json', 191] } as const

for (const [name, [file, count]] of Object.entries(SUITES)) {
  const path = `${import.meta.dirname}/../../../../shared/suites/spf/${file}`
  const skip = existsSync(path) ? false : 'the suite is not here'
  const scenarios: Scenario[] = skip ? [] : JSON.parse(readFileSync(path, 'utf8'))
  test(`the suite of ${name} is whole`, { skip }, () => {
    const cases = scenarios.flatMap(({ tests }) => Object.keys(tests))
    assert.equal(cases.length, count)
  })
  for (const { description, zone, tests } of scenarios) {
    test(`the suite of ${name}: ${description}`, async () => {
      const resolver = suiteZone(zone)
      const dns = dnsFunction((question) => answerDns(resolver, question))
      const failed: string[] = []
      for (const [id, { helo, host, mailfrom, result }] of Object.entries(tests)) {
        const session = { remoteAddress: host, helo, mailFrom: mailfrom }
        const verdict = await checkSpf(session, dns)
        const expected = [result].flat()
        if (!expected.includes(verdict.result))
          failed.push(`${id}: ${verdict.result}, not ${expected.join('/')}`)
      }
      assert.deepEqual(failed, [])
    })
  }
}
