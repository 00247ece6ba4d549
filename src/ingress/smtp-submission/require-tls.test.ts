import assert from 'node:assert/strict'
import { statement } from '#store/store.ts'
import { onBothEngines } from '#test/stores.ts'
import { playSubmission, readSubmissionDialogue } from '#test/submission-dialogue.ts'
import { openSubmissionWorld } from '#test/submission-world.ts'

const wishes = statement<{ tls: string }>(
  'test.tls-wishes',
  'select tls from message order by created_at, id',
)

function dialogue(parameters: string, header: string): string {
  return `# a message with its wish about TLS
(login)
C: MAIL FROM:<welcome@{domain}>${parameters}
S: 250 …
C: RCPT TO:<someone@example.com>
S: 250 …
C: DATA
S: 354 …
C: From: welcome@{domain}
C: ${header}
C:
C: x
C: .
S: 250 2.0.0 Ok <…
`
}

onBothEngines(
  'RFC 8689: REQUIRETLS counts more than TLS-Required: No, and both are kept',
  async (_, open) => {
    const world = await openSubmissionWorld(open)
    for (const [parameters, header] of [
      ['', 'Subject: plain'],
      [' REQUIRETLS', 'TLS-Required: No'],
      ['', 'TLS-Required: No'],
    ] as const) {
      await playSubmission(world, readSubmissionDialogue(dialogue(parameters, header)))
    }
    const rows = await open.store.all(wishes, [])
    assert.deepEqual(
      rows.map(({ tls }) => tls),
      ['policy', 'required', 'optional'],
    )
  },
)
