import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import { type Log, openLog } from '#observe/log.ts'
import { openSqliteStore } from '#store/open-sqlite.ts'
import { fillStore, unfillStore } from '#test/full-store.ts'
import { LETTER, openRoutingWorld, type RoutingWorld } from '#test/routing-world.ts'
import { startScriptedPeer } from '#test/scripted-peer.ts'
import { onBothEngines, openTestStore } from '#test/stores.ts'

/** What the events and the log of mail that came in tell of its Message-ID, by which its sender knows it. */
function openLines(): { readonly log: Log; readonly lines: () => readonly Record<string, unknown>[] } {
  const written: string[] = []
  const destination = new Writable({
    write(chunk, _encoding, done) {
      written.push(String(chunk))
      done()
    },
  })
  return { log: openLog('info', destination), lines: () => written.map((text) => JSON.parse(text)) }
}

async function headerIds(world: RoutingWorld, to: string): Promise<readonly unknown[]> {
  return (await world.eventsOf(to)).map(({ type, detail }) => [type, detail['headerMessageId']])
}

onBothEngines('each event of mail that came in has the Message-ID of its header', async (t, open) => {
  const good = await startScriptedPeer(t, {})
  let patience = 0
  const bad = await startScriptedPeer(t, {
    answer: (command) =>
      !command.startsWith('RCPT')
        ? undefined
        : command.includes('busy')
          ? patience++ < 1
            ? '450 4.2.0 Later'
            : undefined
          : '550 5.1.1 Nobody here',
  })
  await using world = await openRoutingWorld(open, {
    peers: { 'good.example': good.port, 'bad.example': bad.port },
  })
  await world.rule('good@routed.example', 'box@good.example')
  await world.rule('busy@routed.example', 'busy@bad.example')
  await world.rule('gone@routed.example', 'gone@bad.example')
  await world.rule('void@routed.example', 'drop')
  await world.rule('work@routed.example', 'worker:none')
  for (const name of ['good', 'busy', 'gone', 'void', 'work'])
    await world.send({ to: `${name}@routed.example`, content: LETTER(name) })
  for (const [name, type] of Object.entries({
    ...{ good: 'delivered', busy: 'accepted', gone: 'bounced', void: 'dropped', work: 'failed' },
  }))
    assert.deepEqual((await headerIds(world, `${name}@routed.example`))[0], [type, `<${name}@pass.example>`])

  const nameless = LETTER('x').replace(/^Message-ID.*\n/m, '')
  await world.send({ to: 'void@routed.example', content: nameless })
  const odd = LETTER('x').replace(/^Message-ID.*$/m, `Message-ID: <\u0007${'y'.repeat(1200)}@x>\n \t`)
  await world.send({ to: 'void@routed.example', content: odd })
  const [, none, long] = await headerIds(world, 'void@routed.example')
  assert.deepEqual(none, ['dropped', undefined])
  assert.match(String(long), /^dropped,<[ \ufffd]?y{900,}$/)
})

test('lines of the log about mail that comes in say which mail', async (t) => {
  await using open = await openTestStore('sqlite')
  await open.close()
  const store = await openSqliteStore({ directory: open.directory, maxPages: 400 })
  const { log, lines } = openLines()
  const busy = await startScriptedPeer(t, {
    answer: (command) => (command.startsWith('RCPT') ? '450 4.2.0 Later' : undefined),
  })
  const good = await startScriptedPeer(t, {})
  {
    await using world = await openRoutingWorld(
      { ...open, store },
      { peers: { 'busy.example': busy.port, 'good.example': good.port }, around: () => ({ log }) },
    )
    await world.rule('busy@routed.example', 'box@busy.example')
    await world.rule('good@routed.example', 'box@good.example')
    await world.rule('void@routed.example', 'drop')
    await world.rule('work@routed.example', 'worker:none')
    await fillStore(store)
    for (const name of ['busy', 'good', 'void', 'work'])
      await world.send({ to: `${name}@routed.example`, content: LETTER(name) })
    await unfillStore(store)
  }
  await store.close()
  const told = new Map(lines().map((line) => [String(line['messageId']), line]))
  const at = (name: string) => told.get(`<${name}@pass.example>`) ?? assert.fail(`no line about ${name}`)
  for (const name of ['busy', 'good']) {
    const { msg, message, delivery, account, session } = at(name)
    assert.match(String(msg), /^act: the disk is full, a forward /)
    for (const id of [message, delivery, account]) assert.match(String(id), /^[0-9a-f]{32}$/)
    assert.equal(typeof session, 'string')
  }
  for (const [name, what] of [
    ['void', 'act: failed inside'],
    ['work', 'act: the disk is full, what a Worker did has no event'],
  ] as const) {
    const { msg, account, session } = at(name)
    assert.deepEqual([msg, typeof session], [what, 'string'])
    assert.match(String(account), /^[0-9a-f]{32}$/)
  }
  assert.equal(at('work')['worker'], 'none')
  for (const line of lines()) assert.doesNotMatch(JSON.stringify(line), /Hello|someone@|box@/)
})
