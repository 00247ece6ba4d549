import type { KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import type { TestContext } from 'node:test'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { type CertificateFiles, openCertificateFiles } from '#net/certificate-files.ts'
import {
  type CertifiedKey,
  issueAuthority,
  issueLeaf,
  nameConstraints,
  subjectAlternativeNames,
} from '#net/certificate-issue.ts'
import { openLog } from '#observe/log.ts'
import { startSmtpServer, until } from './smtp-server.ts'

export const DAY_MS = 24 * 60 * 60 * 1000
export const START = Date.now()
export const HOST = 'smtp.mx.posthorn.test'
export const authority = await issueAuthority({
  constraints: nameConstraints(['posthorn.test']),
  now: START - 100 * DAY_MS,
  validMs: 1000 * DAY_MS,
})

/** A pair as files have it: the chain, leaf first, and the key. */
export interface PemPair {
  readonly chain: string
  readonly key: string
  readonly fingerprint: string
}

const pemKey = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' })

export async function newPair({ fromDays = 0, days = 90 } = {}): Promise<PemPair> {
  const { certificate, key }: CertifiedKey = await issueLeaf(authority, {
    names: subjectAlternativeNames([HOST]),
    now: START + fromDays * DAY_MS,
    validMs: days * DAY_MS,
  })
  const chain = certificate.toString() + authority.certificate.toString()
  return { chain, key: pemKey(key), fingerprint: certificate.fingerprint256 }
}

interface Line {
  readonly level: number
  readonly msg: string
  readonly names?: string
  readonly until?: string
}

/** A folder with the two files, and what is told of them. */
export interface Place {
  readonly certificate: string
  readonly key: string
  readonly folder: string
  readonly lines: readonly Line[]
  /** Warnings and errors, in sentences. */
  alarms(): string[]
  /** Those about the dates of the pair in use. */
  reminders(): string[]
  put(pair: Omit<PemPair, 'fingerprint'>): Promise<void>
  open(): Promise<CertificateFiles>
  /** Resolves when the files were looked at once more, from beginning to end. */
  looked(): Promise<void>
  /** Resolves when something like this was told. */
  told(what: RegExp): Promise<void>
  /** Resolves when that many pairs were taken into use. */
  loaded(pairs: number): Promise<void>
  pass(days: number): void
}

export async function newPlace(t: TestContext): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'posthorn-pair-'))
  const certificate = join(folder, 'fullchain.pem')
  const key = join(folder, 'privkey.pem')
  const lines: Line[] = []
  const sink = new Writable({
    write: (chunk: Buffer, _, done) => {
      lines.push(JSON.parse(chunk.toString()))
      done()
    },
  })
  let now = START
  let asked = 0
  const clock = () => {
    asked += 1
    return now
  }
  t.after(() => rm(folder, { recursive: true }))
  const alarms = () => lines.filter(({ level }) => level >= 40).map(({ msg }) => msg)
  return {
    certificate,
    key,
    folder,
    lines,
    alarms,
    // A look may come between key and certificate and find a mismatch, which is no reminder.
    reminders: () => alarms().filter((msg) => msg.includes('certificate in use')),
    put: async (pair) => {
      await replace(key, pair.key)
      await replace(certificate, pair.chain)
    },
    open: async () => {
      const log = openLog('info', sink)
      const files = await openCertificateFiles({ certificate, key, log, everyMs: 5, clock })
      t.after(() => files.close())
      return files
    },
    looked: async () => {
      // A look asks for the time four times at most.
      const before = asked
      await until(() => asked > before + 8)
    },
    told: (what) => until(() => lines.some(({ msg }) => what.test(msg))),
    loaded: (pairs) =>
      until(() => lines.filter(({ msg }) => msg.includes('certificate is in use')).length === pairs),
    pass: (days) => {
      now += days * DAY_MS
    },
  }
}

/** As renewals do it: whole, by a rename. */
export async function replace(path: string, content: string): Promise<void> {
  await writeFile(`${path}.new`, content)
  await rename(`${path}.new`, path)
}

export async function open(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const ca = authority.certificate.toString()
  const socket = connect({ port, host: '127.0.0.1', servername: HOST, ca, ...options })
  await once(socket, 'secureConnect')
  return socket
}

/** What a new client is shown. */
export async function shown(port: number, options?: ConnectionOptions): Promise<string> {
  const socket = await open(port, options)
  const { fingerprint256 } = socket.getPeerCertificate()
  socket.destroy()
  return fingerprint256
}

export async function serve(t: TestContext, files: CertificateFiles): Promise<number> {
  const { port } = await startSmtpServer(t, { tls: { mode: 'implicit', context: () => files.context() } })
  return port
}
