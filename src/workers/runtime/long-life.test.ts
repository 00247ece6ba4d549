import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'

const MESSAGES = 3000
/** Of the heap, for each message: what waits for the end of a process once too often costs twice that. */
const OCTETS = 250

// Not in this process: the runner of tests follows each promise, and remembers it.
const SCRIPT = `
  const { arrived, hostOf, openTestRuntime } = await import('#test/runtime-world.ts')
  const world = await openTestRuntime()
  const version = world.version("export default { async email(message) { await message.forward('a@b.example') } }")
  async function heapAfter(messages) {
    for (let left = messages; left > 0; left -= 20) {
      const some = Array.from({ length: 20 }, () => world.runtime.email(version, arrived(), hostOf({})))
      for (const { kind, traced } of await Promise.all(some)) {
        if (kind !== 'handled') throw new Error(kind)
        await traced
      }
    }
    world.forgetTraces()
    gc()
    return process.memoryUsage().heapUsed
  }
  const before = await heapAfter(${MESSAGES})
  console.log((await heapAfter(${MESSAGES})) - before)
  await world[Symbol.asyncDispose]()`

test('a process that lives long leaves nothing of each message in the host', async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--expose-gc', '--input-type=module', '-e', SCRIPT],
    { cwd: join(import.meta.dirname, '../../..') },
  )
  assert.ok(Number(stdout) < MESSAGES * OCTETS, `${stdout.trim()} octets`)
})
