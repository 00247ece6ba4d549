import { createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

/** What a misbehaving peer answers: a reply, or `silence`, or it ends the connection, by `close` or by `reset`. */
export type ScriptedAnswer = string

export interface Script {
  /** By connection, counted from 0. */
  readonly greeting?: (connection: number) => ScriptedAnswer
  /** `command` is a line of the client, `.` the end of a content. Undefined gets the usual answer. */
  readonly answer?: (command: string, connection: number) => ScriptedAnswer | undefined
  /** Called when half a content of some length has come. */
  readonly midContent?: (connection: number) => ScriptedAnswer | undefined
}

export interface ScriptedPeer {
  readonly port: number
  readonly commands: string[]
  /** Contents that were answered 250. */
  readonly taken: string[]
  readonly connections: () => number
}

const USUAL: Record<string, string> = {
  EHLO: '250 mx.test',
  HELO: '250 mx.test',
  MAIL: '250 2.1.0 Ok',
  RCPT: '250 2.1.5 Ok',
  DATA: '354 Go on',
  RSET: '250 2.0.0 Ok',
  QUIT: '221 2.0.0 Bye',
  '.': '250 2.0.0 Taken',
}

/** A peer that does what the script says and is a plain SMTP server otherwise, without extensions. */
export async function startScriptedPeer(t: TestContext, script: Script): Promise<ScriptedPeer> {
  const commands: string[] = []
  const taken: string[] = []
  const sockets = new Set<Socket>()
  let connections = 0

  const server = createServer((socket) => {
    const connection = connections++
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    let unread = ''
    let inContent = false

    function say(answer: ScriptedAnswer): void {
      if (answer === 'silence') return
      if (answer === 'close') socket.end()
      else if (answer === 'reset') socket.resetAndDestroy()
      else socket.write(`${answer}\r\n`)
    }

    function hear(command: string): ScriptedAnswer {
      commands.push(command)
      const verb = command.split(/[ :]/, 1)[0]?.toUpperCase() ?? ''
      const answer = script.answer?.(command, connection) ?? USUAL[verb] ?? '500 5.5.2 What?'
      say(answer)
      inContent = verb === 'DATA' && answer.startsWith('354')
      if (answer.startsWith('221') || answer.startsWith('421')) socket.end()
      return answer
    }

    socket.on('data', (chunk) => {
      unread += chunk.toString('latin1')
      for (;;) {
        if (inContent) {
          const end = unread.indexOf('\r\n.\r\n')
          const half = script.midContent?.(connection)
          if (half !== undefined) return say(half)
          if (end < 0) return
          const content = unread.slice(0, end + 2)
          unread = unread.slice(end + 5)
          if (hear('.').startsWith('2')) taken.push(content)
          continue
        }
        const line = unread.indexOf('\r\n')
        if (line < 0) return
        const command = unread.slice(0, line)
        unread = unread.slice(line + 2)
        hear(command)
      }
    })
    say(script.greeting?.(connection) ?? '220 mx.test ESMTP')
  })

  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return { port: address.port, commands, taken, connections: () => connections }
}
