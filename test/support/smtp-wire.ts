import { once } from 'node:events'
import type { Socket } from 'node:net'

const REPLY = /^(?:\d{3}-[^\r\n]*\r\n)*\d{3}(?: [^\r\n]*)?\r\n/

/** Reads the replies of an SMTP server, one at a call: its lines joined by `\n`. A call rejects when the connection ends
 *  before the reply is there in full. */
export function replyReader(socket: Socket): () => Promise<string> {
  let received = ''
  let ended: Error | undefined
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1')
    socket.emit('more')
  })
  socket.on('error', (error) => {
    ended = error
  })
  socket.on('close', () => {
    ended ??= new Error('the server closed the connection')
    socket.emit('more')
  })
  return async () => {
    for (;;) {
      const [reply] = REPLY.exec(received) ?? []
      if (reply !== undefined) {
        received = received.slice(reply.length)
        return reply.trimEnd().replaceAll('\r\n', '\n')
      }
      if (ended) throw ended
      await once(socket, 'more')
    }
  }
}

/** A content as DATA takes it, its dots stuffed (RFC 5321 §4.5.2), with the end of data. Only a dot behind a CRLF starts
 *  a line. A string holds one character for each octet. */
export function asData(content: Buffer | string): Buffer {
  const text = typeof content === 'string' ? content : content.toString('latin1')
  const lines = `\r\n${text}`.replaceAll('\r\n.', '\r\n..').slice(2)
  return Buffer.from(`${lines}${text === '' || text.endsWith('\r\n') ? '' : '\r\n'}.\r\n`, 'latin1')
}
