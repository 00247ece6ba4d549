import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type MxSettings, type MxWorld, openMxDoor } from './mx-world.ts'
import { play } from './smtp-dialogue.ts'
import { until } from './smtp-server.ts'

/** A dialogue with the MX door, as its file writes it: lines that the player understands (smtp-dialogue.ts), and
 *
 *      # the first comment is the test's name
 *      # setting: idleMs=300                     a bound that the door has in this dialogue; several with commas
 *      # from: 127.0.0.2                         where the client connects from
 *      # kept: Subject: Hello                    the last accepted message has a line that starts so
 *      # recipients: a@yourdomain.com, b@…       of the last accepted message
 *      # refused: a@yourdomain.com               recipients whose owner is told of a refusal
 *      (hello)                                   the greeting, EHLO and its answer
 *      (data)                                    and a transaction up to the 354
 *      (next connection)                         another one; the earlier ones stay open
 *      (wait 400)
 *      C: (repeat 60) RCPT TO:<r{n}@example.com> sixty lines, n from 1; also with S:
 *      C: (bytes 6000000)                        that many octets of text, in lines
 *
 *  In C: lines `{x:600}` stands for that many x, `{return-path}` for one of ours. However a dialogue ends, exactly those
 *  messages were kept that were answered `250 2.0.0 Kept`. */
export interface MxDialogue {
  readonly name: string
  readonly settings: MxSettings
  readonly from: string | undefined
  readonly kept: readonly string[]
  readonly recipients: readonly string[] | undefined
  readonly refused: readonly string[]
  readonly lines: readonly string[]
}

export function readMxDialogue(text: string): MxDialogue {
  const comments = text.split('\n').filter((line) => line.startsWith('#'))
  const noted = (key: string) =>
    comments.filter((line) => line.startsWith(`# ${key}: `)).map((line) => line.slice(key.length + 4))
  const listed = (key: string) => noted(key)[0]?.split(/,\s*/)
  const settings = noted('setting').flatMap((line) => line.split(/,\s*/))
  return {
    name: comments[0]?.slice(2) ?? '',
    settings: Object.fromEntries(
      settings.map((setting) => {
        const [key = '', value] = setting.split('=')
        return [key, Number(value)]
      }),
    ),
    from: noted('from')[0],
    kept: noted('kept'),
    recipients: listed('recipients'),
    refused: listed('refused') ?? [],
    lines: text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#')),
  }
}

/** Plays it on a door of its own, and looks at what was kept afterwards. */
export async function playMx(world: MxWorld, dialogue: MxDialogue): Promise<void> {
  await using door = await openMxDoor(world, dialogue.settings)
  const sockets: Socket[] = []
  let socket: Socket | undefined
  let segment: string[] = []

  const dial = (): Socket => {
    const { from: localAddress } = dialogue
    const dialled = connect({
      port: door.port,
      host: '127.0.0.1',
      noDelay: true,
      allowHalfOpen: true,
      ...(localAddress && { localAddress }),
    })
    dialled.on('error', () => {})
    sockets.push(dialled)
    return dialled
  }

  async function speak(): Promise<void> {
    if (segment.length === 0) return
    socket ??= dial()
    const playing = play(socket, 'c', segment.join('\n'))
    segment = []
    // It was held between two segments, so that nothing is lost that comes meanwhile.
    socket.resume()
    await playing
    socket.pause()
  }

  try {
    for (const line of [...dialogue.lines.flatMap(expand), '(end)']) {
      if (!line.startsWith('(')) {
        segment.push(fill(line, world))
        continue
      }
      await speak()
      const wait = /^\(wait (\d+)\)$/.exec(line)?.[1]
      if (wait !== undefined) await sleep(Number(wait))
      else if (line === '(next connection)') socket = undefined
      else assert.equal(line, '(end)', `unknown action ${line}`)
    }
  } finally {
    for (const dialled of sockets) dialled.destroy()
  }
  const expected = dialogue.lines.filter((line) => line.startsWith('S: 250 2.0.0 Kept')).length
  assert.equal(door.messages.length, expected, 'as many messages as were answered 250 2.0.0 Kept')
  assert.deepEqual(door.refused, dialogue.refused)
  const last = door.messages.at(-1)
  if (dialogue.recipients) assert.deepEqual(last?.to, dialogue.recipients)
  for (const start of dialogue.kept)
    assert.ok(`\r\n${last?.content}`.includes(`\r\n${start}`), `${start} in\n${last?.content}`)
  // Also of what was broken off, once the door has noticed.
  await until(() => Object.values(door.held()).every((octets) => octets === 0))
}

const HELLO = [
  'S: 220 route1.mx.posthorn.test Posthorn Email ESMTP Service ready',
  'C: EHLO client.example',
  ...Array.from({ length: 6 }, () => 'S: 250-…'),
  'S: 250 …',
]
const DATA = [
  'C: MAIL FROM:<sender@remote.example>',
  'S: 250 2.1.0 …',
  'C: RCPT TO:<info@yourdomain.com>',
  'S: 250 2.1.5 …',
  'C: DATA',
  'S: 354 …',
]
const LINE = 'All work and no play makes a message long enough to be refused by its size.'

function expand(line: string): string[] {
  if (line === '(hello)') return HELLO
  if (line === '(data)') return [...HELLO, ...DATA]
  const repeated = /^([CS]: )\(repeat (\d+)\) (.*)$/.exec(line)
  if (repeated) {
    const [, side = '', times, text = ''] = repeated
    return Array.from({ length: Number(times) }, (_, n) => side + text.replaceAll('{n}', String(n + 1)))
  }
  const size = /^C: \(bytes (\d+)\)$/.exec(line)?.[1]
  if (size === undefined) return [line]
  return Array.from({ length: Math.ceil(Number(size) / (LINE.length + 2)) }, () => `C: ${LINE}`)
}

function fill(line: string, world: MxWorld): string {
  if (!line.startsWith('C:')) return line
  return line
    .replaceAll(/\{x:(\d+)\}/g, (_, times: string) => 'x'.repeat(Number(times)))
    .replaceAll('{return-path}', world.returnPath)
}
