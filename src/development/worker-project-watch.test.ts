import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openProjectWatch } from './worker-project-watch.ts'

test('what is written without end is noticed all the same', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'posthorn-test-'))
  const changes: number[] = []
  using watching = openProjectWatch({
    ...{ folder, onProblem: assert.fail },
    onChange: () => {
      changes.push(performance.now())
    },
  })
  const file = join(folder, 'a.ts')
  const writing = setInterval(() => writeFileSync(file, ''), 1)
  t.after(async () => {
    clearInterval(writing)
    await rm(folder, { recursive: true, force: true })
  })
  await watching.look({ files: [file], everything: false })
  const end = performance.now() + 3000
  while (changes.length < 3 && performance.now() < end)
    await new Promise((resolve) => setTimeout(resolve, 10))
  assert.ok(changes.length >= 3, String(changes.length))
})
