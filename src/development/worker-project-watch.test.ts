import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openProjectWatch } from './worker-project-watch.ts'

test('what is written without end is noticed all the same', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'posthorn-test-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  let changes = 0
  using watching = openProjectWatch({
    ...{ folder, onProblem: assert.fail },
    onChange: () => {
      changes++
    },
  })
  await watching.look({ files: [join(folder, 'a.ts')], everything: false })
  for (let n = 0; n < 1000 && changes === 0; n++) {
    await writeFile(join(folder, 'a.ts'), String(n))
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  assert.equal(changes, 1)
})
