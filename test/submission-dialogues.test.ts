import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { openSqliteStore } from '#store/open-sqlite.ts'
import type { Store } from '#store/store.ts'
import { openTestStore } from '#test/stores.ts'
import { playSubmission, readSubmissionDialogue } from '#test/submission-dialogue.ts'
import { openSubmissionWorld, type SubmissionWorld } from '#test/submission-world.ts'

const folder = join(import.meta.dirname, 'submission')
const dialogues = globSync('*.dialogue', { cwd: folder })
  .sort()
  .map((file) => ({
    file: basename(file, '.dialogue'),
    ...readSubmissionDialogue(readFileSync(join(folder, file), 'utf8')),
  }))

/** Those that the store has the most to do with. */
const CENTRAL = [
  'transcript',
  'auth-refused',
  'token-revoked-in-mid-session',
  'user-owned-token',
  'user-owned-token-of-a-stranger',
  'foreign-sender',
  'foreign-from',
  'routing-only-sender',
  'too-many-recipients',
  'platform-headers',
]

/** The table of sending-smtp.md. */
const CODES = [
  ...['220', '235 2.7.0', '250', '354', '421', '451 4.3.0', '452 4.5.3', '500', '501', '503', '530 5.7.0'],
  ...['535 5.7.8', '550 5.7.1', '552 5.3.4', '554'],
]

test('each reply code of the specification has its dialogue', () => {
  const replies = dialogues.flatMap(({ lines }) => lines.filter((line) => line.startsWith('S: ')))
  const absent = CODES.filter(
    (code) => !replies.some((line) => line.replace(/\(repeat \d+\) /, '').startsWith(`S: ${code} `)),
  )
  assert.deepEqual(absent, [])
})

describe('dialogues with the submission door (sqlite)', () => {
  let directory: string
  let store: Store
  let world: SubmissionWorld
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'posthorn-test-'))
    store = await openSqliteStore({ directory, maxPages: 2000 })
    world = await openSubmissionWorld({ store, directory })
  })
  after(async () => {
    await store.close()
    await rm(directory, { recursive: true, force: true })
  })

  for (const dialogue of dialogues) {
    test(`${dialogue.file}: ${dialogue.name}`, () => playSubmission(world, dialogue))
  }

  test('neither token, password nor text of a message got into the log of all these, at level trace', () => {
    const log = world.logged.join('')
    assert.match(log, /submission: message accepted/)
    assert.match(log, /submission: login refused/)
    const written = world.secrets.flatMap((secret) => [secret, ...withinBase64(secret)])
    for (const text of [...written, ...PRIVATE, ...PRIVATE.flatMap(withinBase64)]) {
      assert.ok(!log.includes(text), `${text} was logged`)
    }
  })
})

describe('central ones of them (postgres)', () => {
  let open: Awaited<ReturnType<typeof openTestStore>>
  let world: SubmissionWorld
  before(async () => {
    open = await openTestStore('postgres')
    world = await openSubmissionWorld(open)
  })
  after(() => open[Symbol.asyncDispose]())

  for (const name of CENTRAL) {
    test(name, () => {
      const dialogue = dialogues.find(({ file }) => file === name)
      assert.ok(dialogue, `there is no ${name}.dialogue`)
      return playSubmission(world, dialogue)
    })
  }
})

/** Passwords that are no tokens, and what messages say. */
const PRIVATE = ['grüße ✉', 'no NUL at all', 'Thanks for signing up', 'All work and no play']

/** What the text looks like within a longer one in base64, wherever it stands there. */
function withinBase64(text: string): string[] {
  return [0, 1, 2].map((before) => {
    const coded = Buffer.from('x'.repeat(before) + text).toString('base64')
    // The first and the last characters depend on what stands around it.
    return coded.slice(before === 0 ? 0 : 4, -4)
  })
}
