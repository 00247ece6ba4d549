import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createSmtpServer } from '#smtp/server.ts'
import { playClient } from '#test/smtp-dialogue.ts'

const folder = import.meta.dirname

for (const file of readdirSync(folder).filter((name) => name.endsWith('.txt'))) {
  const script = readFileSync(join(folder, file), 'utf8')
  test(script.slice(2, script.indexOf('\n')), async () => {
    const server = createSmtpServer({
      hostname: 'mx.test',
      limits: { messageBytes: 100_000 },
      handler: {
        rcpt: (_, to) =>
          to.startsWith('refused@') ? { code: 550, enhanced: '5.1.1', text: 'No such mailbox' } : undefined,
        data: () => ({
          write: () => {},
          end: async () => ({ code: 250, enhanced: '2.0.0', text: 'Kept' }),
          abort: () => {},
        }),
      },
    })
    const { port } = await server.listen({ host: '127.0.0.1', port: 0 })
    try {
      await playClient(port, script)
    } finally {
      await server.close({ graceMs: 0 })
    }
  })
}
