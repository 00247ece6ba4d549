import { access } from 'node:fs/promises'
import { join } from 'node:path'
import type { SecureContext } from 'node:tls'
import { LRUCache } from 'lru-cache'
import { type CertificateFiles, CertificateUnusable, openCertificateFiles } from '#net/certificate-files.ts'
import type { Log } from '#observe/log.ts'

/** Certificates of policy hosts, from a folder that somebody else keeps. In: the host that a client names. Out: its
 *  certificate, or the fallback where there is none of its own. Promise: only names of ours are looked for on the disk; a
 *  certificate that is put there or renewed is used within a minute. */
export interface PolicyCertificates {
  /** `host` in lower-case A-labels. */
  context(host: string): Promise<SecureContext>
  close(): void
}

export interface PolicyCertificatesOptions {
  /** As certbot has it, `<host>/fullchain.pem` and `<host>/privkey.pem`; or `<host>.crt` and `<host>.key`. */
  readonly folder?: string | undefined
  readonly fallback: () => SecureContext
  /** Whether a policy of ours is at the host. */
  readonly isOurs: (host: string) => Promise<boolean>
  readonly log: Log
  /** How often files are looked at; 60,000 unless given. */
  readonly everyMs?: number
}

const HOSTS_KEPT = 1000
const NAME = /^[a-z0-9][a-z0-9.-]{0,252}$/

export function openPolicyCertificates(options: PolicyCertificatesOptions): PolicyCertificates {
  const { folder, fallback, isOurs, log, everyMs = 60_000 } = options
  // Those that are there say by themselves when they change; for the others somebody has to look again.
  const found = new LRUCache<string, CertificateFiles>({ max: HOSTS_KEPT, dispose: (files) => files.close() })
  const absent = new LRUCache<string, true>({ max: HOSTS_KEPT, ttl: everyMs })
  const asked = new Map<string, Promise<CertificateFiles | undefined>>()

  async function look(directory: string, host: string): Promise<CertificateFiles | undefined> {
    const paths = await pairOf(directory, host)
    try {
      const files = paths && (await openCertificateFiles({ ...paths, log, everyMs }))
      if (files) found.set(host, files)
      else absent.set(host, true)
      return files
    } catch (error) {
      if (!(error instanceof CertificateUnusable)) throw error
      log.error(`tls: ${error.message}. Until then ${host} shows another certificate, which senders refuse`)
      absent.set(host, true)
      return undefined
    } finally {
      asked.delete(host)
    }
  }

  async function filesOf(host: string): Promise<CertificateFiles | undefined> {
    const known = found.get(host)
    if (known || folder === undefined || absent.has(host)) return known
    if (!NAME.test(host) || !(await isOurs(host))) return undefined
    const running = asked.get(host) ?? look(folder, host)
    asked.set(host, running)
    return running
  }

  return {
    context: async (host) => (await filesOf(host))?.context() ?? fallback(),
    close: () => found.clear(),
  }
}

async function pairOf(folder: string, host: string) {
  const pairs = [
    { certificate: join(folder, host, 'fullchain.pem'), key: join(folder, host, 'privkey.pem') },
    { certificate: join(folder, `${host}.crt`), key: join(folder, `${host}.key`) },
  ]
  const there = await Promise.all(
    pairs.map(async ({ certificate }) => {
      try {
        await access(certificate)
        return true
      } catch {
        return false
      }
    }),
  )
  return pairs.find((_, i) => there[i])
}
