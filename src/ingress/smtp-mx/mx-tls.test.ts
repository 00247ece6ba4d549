import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect as connectTcp } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { openCertificateAuthority } from '#net/certificate-authority.ts'
import { openCertificateFiles } from '#net/certificate-files.ts'
import { openLog } from '#observe/log.ts'
import { openMxDoor, openMxWorld } from '#test/mx-world.ts'
import { play } from '#test/smtp-dialogue.ts'

const folder = await mkdtemp(join(tmpdir(), 'posthorn-mx-tls-'))
after(() => rm(folder, { recursive: true }))

async function newLeaf(name: string) {
  const { leaf } = await openCertificateAuthority({
    folder: join(folder, name),
    serviceDomain: 'posthorn.test',
  })
  return leaf
}

/** Over TLS, after STARTTLS. */
async function secured(port: number): Promise<TLSSocket> {
  const plain = connectTcp({ port, host: '127.0.0.1' })
  await play(
    plain,
    'c',
    `
      s: 220 …
      c: EHLO client.example
      ${'s: 250-…\n'.repeat(6)}
      s: 250 …
      c: STARTTLS
      s: 220 2.0.0 Ready to start TLS
    `,
  )
  plain.removeAllListeners()
  const secure = connectTls({ socket: plain, rejectUnauthorized: false })
  await new Promise((resolve, reject) => {
    secure.once('secureConnect', resolve)
    secure.once('error', reject)
  })
  return secure
}

test('a renewed certificate serves the next handshake, and open sessions go on', async () => {
  await using world = await openMxWorld()
  const [certificate, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  const install = async (name: string): Promise<string> => {
    const { cert, key: secret } = await newLeaf(name)
    await writeFile(join(folder, 'new-key'), secret)
    await writeFile(join(folder, 'new-cert'), cert)
    await copyFile(join(folder, 'new-key'), key)
    await copyFile(join(folder, 'new-cert'), certificate)
    return new X509Certificate(cert).fingerprint256
  }
  const first = await install('one')
  const files = await openCertificateFiles({ certificate, key, log: openLog('silent'), everyMs: 10 })
  try {
    await using door = await openMxDoor({ ...world, certificate: () => files.context() })
    const open = await secured(door.port)
    assert.equal(open.getPeerCertificate().fingerprint256, first)
    const second = await install('two')
    assert.notEqual(second, first)
    for (let tries = 0; ; tries++) {
      assert.ok(tries < 200, 'the new certificate never came')
      const next = await secured(door.port)
      const seen = next.getPeerCertificate().fingerprint256
      next.destroy()
      if (seen === second) break
    }
    await play(
      open,
      'c',
      'c: EHLO client.example\ns: 250-…\ns: 250-SIZE 26214400\ns: 250-8BITMIME\ns: 250-PIPELINING\ns: 250-SMTPUTF8\ns: 250 ENHANCEDSTATUSCODES',
    )
    open.destroy()
  } finally {
    files.close()
  }
})
