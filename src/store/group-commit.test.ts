import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { GroupCommit } from './group-commit.ts'
import { statement } from './store.ts'
import type { WriteBatch } from './write-batch.ts'

const insert = statement('test.insert', 'insert into t values ($1)')
/** More than a turn of the loop, at the end of which a batch goes to the writer. */
const turn = () => sleep(10)
const written = { kind: 'written' as const, sets: undefined }

test('one batch at a time is with the writer, and each set is answered by its own batch', async () => {
  const posted: string[][] = []
  const told: string[] = []
  let outstanding = 0
  const group = new GroupCommit((batch: WriteBatch) => {
    outstanding++
    posted.push(batch.cells.filter((cell): cell is string => typeof cell === 'string'))
  })
  const settle = () => {
    outstanding--
    group.settle(written)
  }
  const commit = (name: string) =>
    void group.commit([{ statement: insert, params: [name] }]).then(() => told.push(name))

  commit('a')
  await turn()
  commit('b')
  settle()
  setImmediate(() => commit('c'))
  commit('b2')
  for (let i = 0; i < 3; i++) {
    await turn()
    assert.ok(outstanding <= 1, `${outstanding} batches with the writer`)
  }
  assert.deepEqual(posted, [['a'], ['b', 'b2']])
  assert.deepEqual(told, ['a'])
  settle()
  await turn()
  assert.deepEqual(told, ['a', 'b', 'b2'])
  await turn()
  settle()
  await turn()
  assert.deepEqual(told, ['a', 'b', 'b2', 'c'])
})
