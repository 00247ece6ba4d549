import assert from 'node:assert/strict'
import test from 'node:test'
import { openAccountTurns } from './account-turns.ts'

/** A task that notes when it begins and ends, and lasts until it is told. */
function tasks() {
  const turns = openAccountTurns()
  const log: string[] = []
  const ends = new Map<string, () => void>()
  const begin = (account: string, name: string) =>
    turns.take(account, async () => {
      log.push(name)
      await new Promise<void>((resolve) => ends.set(name, resolve))
      return `${name} done`
    })
  const end = async (name: string) => {
    ends.get(name)?.()
    await new Promise(setImmediate)
    await new Promise(setImmediate)
  }
  return { turns, log, begin, end }
}

test('one at a time, the accounts in turn', async () => {
  const { log, begin, end } = tasks()
  const all = ['a1', 'a2', 'a3', 'b1', 'c1', 'b2'].map((name) => begin(name.slice(0, 1), name))
  for (let done = 0; done < all.length; done += 1) {
    assert.equal(log.length, done + 1)
    await end(log[done] ?? '')
  }
  assert.deepEqual(log, ['a1', 'a2', 'b1', 'c1', 'a3', 'b2'])
  assert.deepEqual(
    await Promise.all(all),
    ['a1', 'a2', 'a3', 'b1', 'c1', 'b2'].map((name) => `${name} done`),
  )
})

test('who comes when nothing runs is served at once, again and again', async () => {
  const { log, begin, end } = tasks()
  for (const name of ['a1', 'b1', 'a2']) {
    const task = begin(name.slice(0, 1), name)
    assert.equal(log.at(-1), name)
    await end(name)
    assert.equal(await task, `${name} done`)
  }
})

test('between two the event loop goes round', async () => {
  const { turns } = tasks()
  const log: string[] = []
  const busy = async () => {
    log.push('task')
    setImmediate(() => log.push('others'))
  }
  await Promise.all([turns.take('a', busy), turns.take('a', busy), turns.take('b', busy)])
  assert.deepEqual(log, ['task', 'others', 'task', 'others', 'task'])
})

test('one that fails does not stop the others', async () => {
  const { turns, log, begin, end } = tasks()
  const failing = turns.take('a', async () => {
    throw new Error('the disk is gone')
  })
  const next = begin('a', 'a2')
  await assert.rejects(failing, /the disk is gone/)
  await new Promise(setImmediate)
  assert.deepEqual(log, ['a2'])
  await end('a2')
  await next
})
