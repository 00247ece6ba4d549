import { type AddressInfo, createServer, type Socket } from 'node:net'
import { z } from 'zod'
import { answerParent } from './child.ts'

/** Recipients' servers that are in trouble, in a process of their own: `silent` accepts and says nothing, `slow` says
 *  everything an octet at a time, `busy` says 421 to each MAIL. */
export const FAULTS = ['silent', 'slow', 'busy'] as const
export const FaultyQuestion = z.object({ ask: z.literal('ports') })
export const FaultyPorts = z.record(z.enum(FAULTS), z.number())

const OCTET_MS = 100

if (import.meta.main) {
  const ports = Promise.all(
    FAULTS.map(async (fault) => {
      const server = createServer({ noDelay: true }, (socket) => serve(socket, fault))
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      return [fault, (server.address() as AddressInfo).port] as const
    }),
  )
  answerParent(async (asked) => {
    FaultyQuestion.parse(asked)
    return Object.fromEntries(await ports)
  })
}

function serve(socket: Socket, fault: (typeof FAULTS)[number]): void {
  socket.on('error', () => socket.destroy())
  if (fault === 'silent') return void socket.resume()
  say(socket, '220 faulty.example ESMTP', fault)
  socket.on('data', (chunk) => {
    const verb = chunk.toString('latin1', 0, 4).toUpperCase()
    if (verb === 'QUIT') socket.end('221 2.0.0 Bye\r\n')
    else if (verb === 'MAIL' && fault === 'busy') socket.end('421 4.3.2 Busy\r\n')
    else if (verb === 'DATA') say(socket, '354 Go on', fault)
    else say(socket, '250 2.0.0 Ok', fault)
  })
}

function say(socket: Socket, reply: string, fault: (typeof FAULTS)[number]): void {
  if (fault !== 'slow') return void socket.write(`${reply}\r\n`)
  const octets = `${reply}\r\n`.split('')
  const timer = setInterval(() => {
    const octet = octets.shift()
    if (octet !== undefined && socket.writable) socket.write(octet)
    else clearInterval(timer)
  }, OCTET_MS)
}
