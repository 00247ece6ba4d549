import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TLSSocket } from 'node:tls'
import type { SubmissionOptions } from '#ingress/smtp-submission/submission-server.ts'
import { DEFAULT_LIMITS } from '#smtp/server-limits.ts'
import { fillStore, unfillStore } from './full-store.ts'
import { play } from './smtp-dialogue.ts'
import { messagesAfter, type OpenDoor, type SubmissionWorld } from './submission-world.ts'

/** A dialogue with the submission door, as its file writes it: lines that the player understands (smtp-dialogue.ts), and
 *
 *      # the first comment is the test's name
 *      # setting: authMs=300                     a bound that the door has in this dialogue; several with commas
 *      # kept: Subject: Hello                    the last accepted message has a header line, or a line, that starts so
 *      # gone: User-Agent                        and nothing in it contains that
 *      # recipients: a@example.com, b@…          of the last accepted message
 *      (hello)                                   the greeting, EHLO and its answer
 *      (login)                                   and AUTH PLAIN; `(login user-owned)` with that token
 *      (data)                                    and a transaction up to the 354; `(data user-owned)`
 *      (next connection)                         another one; the earlier ones stay open
 *      (vanish)                                  cuts this connection; the next one comes when the server has noticed
 *      (shut down), (revoke), (fill store), (unfill store), (wait 400)
 *      C: (repeat 60) RCPT TO:<r{n}@example.com> sixty lines, n from 1; also with S:
 *      C: (bytes 6000000)                        that many octets of text, in lines
 *
 *  In C: lines `{domain}`, `{other-domain}`, `{token}` and `{token:NAME}` stand for what the world has, `{plain}` and
 *  `{plain:NAME}` for the initial response of AUTH PLAIN, `{base64:text}` for the text in base64, `\0` and `\xHH` in it
 *  being octets, `{x:600}` for that many x. `{token:session}` is a token of this dialogue alone, which `(revoke)` revokes.
 *  However a dialogue ends, exactly those messages are in the store that were answered `250 2.0.0 Ok`. */
export interface SubmissionDialogue {
  readonly name: string
  readonly settings: Readonly<Record<string, number>>
  readonly kept: readonly string[]
  readonly gone: readonly string[]
  readonly recipients: readonly string[] | undefined
  readonly lines: readonly string[]
}

export function readSubmissionDialogue(text: string): SubmissionDialogue {
  const comments = text.split('\n').filter((line) => line.startsWith('#'))
  const noted = (key: string) =>
    comments.filter((line) => line.startsWith(`# ${key}: `)).map((line) => line.slice(key.length + 4))
  const [recipients] = noted('recipients')
  return {
    name: comments[0]?.slice(2) ?? '',
    settings: Object.fromEntries(
      noted('setting')
        .flatMap((line) => line.split(/,\s*/))
        .map((setting) => {
          const [key = '', value] = setting.split('=')
          return [key, Number(value)]
        }),
    ),
    kept: noted('kept'),
    gone: noted('gone'),
    recipients: recipients?.split(/,\s*/),
    lines: text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#')),
  }
}

/** What a dialogue runs against: a door, the connection that is spoken on, and what its placeholders stand for. */
interface Stage {
  readonly world: SubmissionWorld
  readonly door: OpenDoor
  readonly tokens: ReadonlyMap<string, string>
  readonly sessionTokenId: string
  socket: TLSSocket | undefined
}

/** Plays it on a door of its own, and looks into the store afterwards. */
export async function playSubmission(world: SubmissionWorld, dialogue: SubmissionDialogue): Promise<void> {
  const last = (await messagesAfter(world)).at(-1)?.id
  const session = await world.newToken()
  await using door = await world.open(optionsOf(dialogue.settings))
  const tokens = new Map<string, string>([...Object.entries(world.tokens), ['session', session.secret]])
  const stage: Stage = { world, door, tokens, sessionTokenId: session.id, socket: undefined }
  let segment: string[] = []
  for (const line of [...dialogue.lines.flatMap(expand), '(end)']) {
    if (!line.startsWith('(')) {
      segment.push(fill(line, stage.tokens))
      continue
    }
    if (segment.length > 0) await speak(stage, segment)
    segment = []
    await act(stage, line)
  }
  const expected = dialogue.lines.filter((line) => line.startsWith('S: 250 2.0.0 Ok <')).length
  await checkStore(world, dialogue, { last, expected })
}

function optionsOf(settings: Readonly<Record<string, number>>): Partial<SubmissionOptions> {
  const { connectionsPerAccount, memoryLimit, ...limits } = settings
  for (const name of Object.keys(limits)) assert.ok(name in DEFAULT_LIMITS, `${name} is no setting`)
  return {
    ...(connectionsPerAccount !== undefined && { connectionsPerAccount }),
    ...(memoryLimit !== undefined && { memoryLimit }),
    limits,
  }
}

async function speak(stage: Stage, segment: readonly string[]): Promise<void> {
  stage.socket ??= stage.door.dial()
  const playing = play(stage.socket, 'c', segment.join('\n'))
  // It was held between two segments, so that nothing is lost that comes meanwhile.
  stage.socket.resume()
  await playing
  stage.socket.pause()
}

async function act(stage: Stage, action: string): Promise<void> {
  const { world, door } = stage
  switch (action) {
    case '(end)':
      return
    case '(next connection)':
      stage.socket = undefined
      return
    case '(vanish)': {
      const before = door.server.connections
      stage.socket?.destroy()
      while (door.server.connections === before) await sleep(5)
      stage.socket = undefined
      return
    }
    case '(shut down)':
      void door.server.close({ graceMs: 3000 })
      return
    case '(revoke)':
      assert.ok(await world.accounts.revokeToken(world.account.one, stage.sessionTokenId))
      return
    case '(fill store)':
      return fillStore(world.store)
    case '(unfill store)':
      return unfillStore(world.store)
    default: {
      const wait = /^\(wait (\d+)\)$/.exec(action)?.[1]
      assert.ok(wait !== undefined, `unknown action ${action}`)
      await sleep(Number(wait))
    }
  }
}

/** The answer to EHLO is spelled out in one dialogue; elsewhere it only has to be read over. */
const HELLO = [
  'S: 220 …',
  'C: EHLO client.example',
  ...Array.from({ length: 7 }, () => 'S: 250-…'),
  'S: 250 …',
]
const LINE = 'All work and no play makes a message long enough to be refused by its size.'

function expand(line: string): string[] {
  const opening = /^\((hello|login|data)(?: ([a-z-]+))?\)$/.exec(line)
  if (opening) {
    const [, until, token = 'one'] = opening
    const login = [`C: AUTH PLAIN {plain:${token}}`, 'S: 235 2.7.0 …']
    const transaction = [
      'C: MAIL FROM:<welcome@{domain}>',
      'S: 250 2.1.0 …',
      'C: RCPT TO:<recipient@example.com>',
      'S: 250 2.1.5 …',
      'C: DATA',
      'S: 354 …',
    ]
    return [...HELLO, ...(until === 'hello' ? [] : login), ...(until === 'data' ? transaction : [])]
  }
  const repeated = /^([CS]: )\(repeat (\d+)\) (.*)$/.exec(line)
  if (repeated) {
    const [, side = '', times, text = ''] = repeated
    return Array.from({ length: Number(times) }, (_, n) => side + text.replaceAll('{n}', String(n + 1)))
  }
  const size = /^C: \(bytes (\d+)\)$/.exec(line)?.[1]
  if (size === undefined) return [line]
  return Array.from({ length: Math.ceil(Number(size) / (LINE.length + 2)) }, () => `C: ${LINE}`)
}

function fill(line: string, tokens: ReadonlyMap<string, string>): string {
  if (!line.startsWith('C:')) return line
  const tokenOf = (name: string) => {
    const token = tokens.get(name)
    assert.ok(token !== undefined, `no token ${name} for ${line}`)
    return token
  }
  return line
    .replaceAll('{domain}', 'one.example')
    .replaceAll('{other-domain}', 'two.example')
    .replaceAll(/\{x:(\d+)\}/g, (_, times: string) => 'x'.repeat(Number(times)))
    .replaceAll(/\{token(?::([a-z-]+))?\}/g, (_, name: string | undefined) => tokenOf(name ?? 'one'))
    .replaceAll(/\{plain(?::([a-z-]+))?\}/g, (_, name: string | undefined) =>
      base64(`\\0api_token\\0${tokenOf(name ?? 'one')}`),
    )
    .replaceAll(/\{base64:([^}]*)\}/g, (_, text: string) => base64(text))
}

function base64(text: string): string {
  const octets = text
    .replaceAll('\\0', '\0')
    .replaceAll(/\\x([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(octets, 'latin1').toString('base64')
}

async function checkStore(
  world: SubmissionWorld,
  dialogue: SubmissionDialogue,
  { last, expected }: { readonly last: string | undefined; readonly expected: number },
): Promise<void> {
  const messages = await messagesAfter(world, last)
  assert.equal(messages.length, expected, 'as many messages as were answered 250 2.0.0 Ok')
  const newest = messages.at(-1)
  if (dialogue.recipients !== undefined)
    assert.deepEqual(newest?.recipients.toSorted(), dialogue.recipients.toSorted())
  const content = newest?.content ?? ''
  for (const start of dialogue.kept)
    assert.ok(`\r\n${content}`.includes(`\r\n${start}`), `${start} in\n${content}`)
  for (const text of dialogue.gone) assert.ok(!content.includes(text), `${text} in\n${content}`)
}
