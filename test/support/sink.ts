import { createSmtpServer } from '#smtp/server.ts'

/** Where an instance's mail goes to (`POSTHORN_DEV_SINK`): a server that tells by an address what becomes of its mail,
 *  and counts. `ok-…` is taken; `gone-…` is unknown; `policy-…` is refused after the content; `later-…` is put off
 *  once for each message; `never-…` always. Every other one is taken. */
export interface Sink extends AsyncDisposable {
  readonly port: number
  /** Messages that were taken, and those that were refused for good, by recipient. */
  readonly taken: ReadonlyMap<string, number>
  readonly refused: ReadonlyMap<string, number>
}

const GONE = { code: 550, enhanced: '5.1.1', text: 'No such user here' } as const
const POLICY = { code: 550, enhanced: '5.7.1', text: 'Against a policy' } as const
const LATER = { code: 451, enhanced: '4.3.2', text: 'Come again' } as const

export async function startSink(): Promise<Sink> {
  const taken = new Map<string, number>()
  const refused = new Map<string, number>()
  const putOff = new Set<string>()
  const count = (counts: Map<string, number>, to: string) => void counts.set(to, (counts.get(to) ?? 0) + 1)
  const server = createSmtpServer({
    hostname: 'mx.test',
    onError: (error) => {
      throw error
    },
    limits: { errors: Number.POSITIVE_INFINITY },
    handler: {
      rcpt(_, to) {
        if (to.startsWith('never-')) return LATER
        if (!to.startsWith('gone-')) return undefined
        count(refused, to)
        return GONE
      },
      data({ envelope }) {
        const [to = ''] = envelope.to
        const chunks: Buffer[] = []
        return {
          write: (chunk) => void chunks.push(Buffer.from(chunk)),
          async end() {
            const [subject = ''] = /^Subject: .*$/m.exec(Buffer.concat(chunks).toString('latin1')) ?? []
            const key = `${to} ${subject}`
            if (to.startsWith('later-') && !putOff.has(key)) {
              putOff.add(key)
              return LATER
            }
            if (to.startsWith('policy-')) {
              count(refused, to)
              return POLICY
            }
            count(taken, to)
            return { code: 250, enhanced: '2.0.0', text: 'Kept' }
          },
          abort: () => {},
        }
      },
    },
  })
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 })
  return { port, taken, refused, [Symbol.asyncDispose]: () => server.close({ graceMs: 0 }) }
}
