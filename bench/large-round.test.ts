import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import { measureLarge } from './large-round.ts'

const MIB = 1024 * 1024

test('large messages at once are forwarded without ever being in memory', async () => {
  const round = await measureLarge({
    ...{ dir: tmpdir(), connections: 16, bytes: 24 * MIB, seconds: 60, stalledMs: 20_000 },
    signal: new AbortController().signal,
  })
  assert.deepEqual([round.lost, round.duplicated, round.refusals], [0, 0, []])
  const grown = round.mostMb - round.idleMb
  // Two threads that verify have begun meanwhile, and there is garbage that nobody collected yet.
  assert.ok(grown < 250, `${grown} MB more for ${(16 * 24 * MIB) / 1e6} MB of messages`)
})
