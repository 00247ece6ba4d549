import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { createSecureContext, type SecureContext } from 'node:tls'
import type { Log } from '#observe/log.ts'

/** Certificate and key of a TLS door, from files that somebody else renews. In: two paths. Out: the pair as a context for
 *  each handshake.
 *  Promise: a new pair serves the next handshake after a look has found it, without a restart and without touching open
 *  sessions; a pair that is missing, half-written, mismatched or weak never takes the place of one that works, and is
 *  looked at again until it fits. What was wrong is in the log, once for each fault; key material never is. */
export interface CertificateFiles {
  /** The pair as it stands now, for a TLS door to ask at each handshake. */
  context(): SecureContext
  /** When that pair expires, in milliseconds since 1970. */
  expiresAt(): number
  /** Stops looking. The last pair stays usable. */
  close(): void
}

export interface CertificateFilesOptions {
  /** Path of the chain, PEM, leaf first. */
  readonly certificate: string
  /** Path of the private key, PEM, without a passphrase. May be the same file. */
  readonly key: string
  readonly log: Log
  /** How often to look; 5,000 unless given. */
  readonly everyMs?: number
  /** Milliseconds since 1970; decides what has expired. */
  readonly clock?: () => number
}

/** The first pair cannot be used. The message is for the person who starts the service: it names the file and what would
 *  be right. */
export class CertificateUnusable extends Error {
  override readonly name = 'CertificateUnusable'
}

const DAY_MS = 24 * 60 * 60 * 1000
const SOON_MS = 14 * DAY_MS
// The longest real chains have some tens of KiB; a path that leads to a log or a disk is not read into memory.
const MAX_FILE_BYTES = 1024 * 1024
// Of one look, when the files change while they are read; the next look comes anyway.
const STEADY_TRIES = 3

/** Rejects with CertificateUnusable when the first pair cannot be used. One that is only out of its dates is used, and the
 *  log says so: refusing it would take mail down. */
export async function openCertificateFiles(options: CertificateFilesOptions): Promise<CertificateFiles> {
  const found = await read(options)
  if (found.pair === undefined) throw new CertificateUnusable(found.fault)
  return new Watch(options, found.seen, found.pair)
}

interface Pair {
  readonly leaf: X509Certificate
  /** Every certificate, PEM. Two pairs with one chain are the same pair, since the key fits the leaf. */
  readonly chain: string
  readonly context: SecureContext
}

interface Fault {
  readonly pair?: undefined
  readonly fault: string
}

type Checked = { readonly pair: Pair } | Fault

interface Paths {
  readonly certificate: string
  readonly key: string
}

class Watch implements CertificateFiles {
  readonly #options: CertificateFilesOptions
  readonly #clock: () => number
  readonly #timer: NodeJS.Timeout
  /** Told since the files last fitted. */
  readonly #faults = new Set<string>()
  #seen: string
  #pair: Pair
  #remindAt = 0
  #looking = false
  #closed = false

  constructor(options: CertificateFilesOptions, seen: string, pair: Pair) {
    this.#options = options
    this.#clock = options.clock ?? Date.now
    this.#seen = seen
    this.#pair = pair
    this.#use(pair)
    this.#timer = setInterval(() => this.#tick(), options.everyMs ?? 5000).unref()
  }

  context(): SecureContext {
    return this.#pair.context
  }

  expiresAt(): number {
    return this.#pair.leaf.validToDate.getTime()
  }

  close(): void {
    this.#closed = true
    clearInterval(this.#timer)
  }

  #tick(): void {
    // A file system that hangs gets one question, not one more each few seconds.
    if (this.#looking) return
    this.#looking = true
    this.#look()
      .catch((error: unknown) => this.#options.log.error({ err: error }, 'tls: looking failed, trying again'))
      .finally(() => {
        this.#looking = false
      })
  }

  async #look(): Promise<void> {
    // What is at fault may mend without a change of the files: a disk that answers again, a first day that has come.
    const unchanged = this.#faults.size === 0 && (await appearance(this.#options)) === this.#seen
    const found = unchanged ? undefined : await read(this.#options)
    if (this.#closed) return
    if (found !== undefined) {
      this.#seen = found.seen
      this.#weigh(found)
    }
    this.#remind()
  }

  #weigh(found: Checked): void {
    if (found.pair === undefined) return this.#complain(found.fault)
    if (found.pair.chain === this.#pair.chain) {
      if (this.#faults.size > 0)
        this.#options.log.info(this.#facts(), 'tls: the pair in use fits its files again')
      this.#faults.clear()
      return
    }
    const dates = datesOf(found.pair.leaf, this.#clock())
    const current = datesOf(this.#pair.leaf, this.#clock())
    if (isOutside(dates) && !isOutside(current))
      return this.#complain(
        `the certificate ${this.#options.certificate} ${DATES_SAID[dates]}: one that is valid today belongs there`,
      )
    this.#use(found.pair)
  }

  #use(pair: Pair): void {
    this.#pair = pair
    this.#faults.clear()
    this.#options.log.info(this.#facts(), 'tls: a certificate is in use')
    this.#remindAt = 0
    this.#remind()
  }

  #complain(fault: string): void {
    if (this.#faults.has(fault)) return
    this.#faults.add(fault)
    this.#options.log.error(
      `tls: ${fault}. The pair read before stays in use, and the files are looked at again`,
    )
  }

  /** At each load, and then at most once a day. */
  #remind(): void {
    const now = this.#clock()
    const dates = datesOf(this.#pair.leaf, now)
    if (dates === 'fine' || now < this.#remindAt) return
    this.#remindAt = now + DAY_MS
    const sentence = `tls: the certificate in use ${DATES_SAID[dates]}`
    if (isOutside(dates))
      this.#options.log.error(this.#facts(), `${sentence}: clients refuse it; put a valid pair in its place`)
    else this.#options.log.warn(this.#facts(), `${sentence}; renew it`)
  }

  #facts() {
    const { subject, subjectAltName, validFromDate, validToDate } = this.#pair.leaf
    return {
      certificate: this.#options.certificate,
      names: subjectAltName ?? subject,
      from: validFromDate.toISOString(),
      until: validToDate.toISOString(),
    }
  }
}

type Dates = 'fine' | 'ends-soon' | 'expired' | 'not-yet-valid'

const DATES_SAID = {
  'ends-soon': 'has less than 14 days left',
  expired: 'has expired',
  'not-yet-valid': 'is not valid yet (or the clock of this machine is behind)',
} as const satisfies Record<Exclude<Dates, 'fine'>, string>

function datesOf(leaf: X509Certificate, now: number): Dates {
  if (now < leaf.validFromDate.getTime()) return 'not-yet-valid'
  const left = leaf.validToDate.getTime() - now
  return left <= 0 ? 'expired' : left < SOON_MS ? 'ends-soon' : 'fine'
}

function isOutside(dates: Dates): dates is 'expired' | 'not-yet-valid' {
  return dates === 'expired' || dates === 'not-yet-valid'
}

/** What `stat` tells of both files, symbolic links followed: renames, swapped links and writes in place all change it. The
 *  change time tells of a copy that kept size and modification time, and of a new mode. */
async function appearance(paths: Paths): Promise<string> {
  const both = [paths.certificate, paths.key].map(async (path) => {
    try {
      const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true })
      return [dev, ino, size, mtimeNs, ctimeNs].join()
    } catch (error) {
      return systemErrorCode(error)
    }
  })
  return (await Promise.all(both)).join(' ')
}

/** Reads and checks both files. `seen` is how they looked before they were read, so that a later change shows. */
async function read(paths: Paths): Promise<Checked & { readonly seen: string }> {
  for (let tries = 1; ; tries++) {
    const seen = await appearance(paths)
    const certificate = await readPem(paths.certificate, 'certificate')
    const key = await readPem(paths.key, 'key')
    // Replaced meanwhile: the two may be of different pairs.
    if (tries < STEADY_TRIES && (await appearance(paths)) !== seen) continue
    return { ...check(paths, certificate, key), seen }
  }
}

async function readPem(path: string, what: 'certificate' | 'key'): Promise<string | Fault> {
  try {
    const file = await stat(path)
    if (!file.isFile() || file.size > MAX_FILE_BYTES)
      return { fault: `${path} is no file of a ${what}: a PEM file of less than 1 MiB belongs there` }
    return await readFile(path, 'latin1')
  } catch (error) {
    const code = systemErrorCode(error)
    const remedy =
      code === 'ENOENT'
        ? `is missing: put a PEM file there`
        : `cannot be read (${code}): let this user read it`
    return { fault: `the ${what} ${path} ${remedy}` }
  }
}

function systemErrorCode(error: unknown): string {
  if (error instanceof Error && 'code' in error) return String(error.code)
  throw error
}

function check(paths: Paths, certificateText: string | Fault, keyText: string | Fault): Checked {
  if (typeof certificateText !== 'string') return certificateText
  const chain = parseChain(certificateText, paths.certificate)
  if ('fault' in chain) return chain
  if (typeof keyText !== 'string') return keyText
  const key = parseKey(keyText, paths.key)
  if ('fault' in key) return key
  const [leaf] = chain
  if (!leaf.checkPrivateKey(key)) return mismatch(paths, chain, key)
  const weakness = weaknessOf(key)
  if (weakness !== undefined)
    return {
      fault: `the key ${paths.key} is ${weakness}: RSA of 2048 bits or more, EC on P-256, P-384 or P-521, or Ed25519 belongs there`,
    }
  return makePair(paths, chain, key)
}

type Chain = readonly [X509Certificate, ...X509Certificate[]]

function parseChain(text: string, path: string): Chain | Fault {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
  if (blocks.length < text.split('-----BEGIN CERTIFICATE-----').length - 1)
    return {
      fault: `${path} ends within a certificate: the whole chain belongs there, the server's own first`,
    }
  const chain: X509Certificate[] = []
  for (const block of blocks) {
    try {
      chain.push(new X509Certificate(block))
    } catch {
      return { fault: `${path} is damaged: certificate ${chain.length + 1} of its chain cannot be parsed` }
    }
  }
  const [leaf, ...issuers] = chain
  if (leaf === undefined)
    return {
      fault: `${path} holds no certificate: a chain in PEM belongs there (-----BEGIN CERTIFICATE-----), the server's own first`,
    }
  return [leaf, ...issuers]
}

function parseKey(text: string, path: string): KeyObject | Fault {
  // PKCS #8 (RFC 5958), and the header of RFC 1421 that OpenSSL's older form has.
  if (/^-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(text))
    return {
      fault: `the key ${path} is encrypted: it must be without a passphrase, as "openssl pkey -in ${path}" prints it`,
    }
  try {
    return createPrivateKey(text)
  } catch {
    return {
      fault: `${path} holds no private key: a whole one in PEM belongs there (-----BEGIN PRIVATE KEY-----)`,
    }
  }
}

function mismatch(paths: Paths, chain: Chain, key: KeyObject): Fault {
  if (chain.some((certificate) => certificate.checkPrivateKey(key)))
    return {
      fault: `${paths.certificate} does not begin with the certificate of the key ${paths.key}: the server's own belongs first, then its issuers`,
    }
  return {
    fault: `the key ${paths.key} does not belong to the certificate ${paths.certificate}: both must come from one renewal`,
  }
}

const CURVES: Readonly<Record<string, true>> = { prime256v1: true, secp384r1: true, secp521r1: true }

/** What is wrong with the kind of a key. */
function weaknessOf(key: KeyObject): string | undefined {
  const { modulusLength = 0, namedCurve = '' } = key.asymmetricKeyDetails ?? {}
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return modulusLength >= 2048 ? undefined : `RSA of ${modulusLength} bits`
    case 'ec':
      return CURVES[namedCurve] ? undefined : `EC on ${namedCurve}`
    case 'ed25519':
      return undefined
    default:
      return `of the kind ${key.asymmetricKeyType}`
  }
}

/** What was checked is what is used: nothing else that the files hold comes into the context. */
function makePair(paths: Paths, certificates: Chain, key: KeyObject): Checked {
  const chain = certificates.join('')
  try {
    const context = createSecureContext({
      cert: chain,
      key: key.export({ type: 'pkcs8', format: 'pem' }),
      minVersion: 'TLSv1.2',
    })
    return { pair: { leaf: certificates[0], chain, context } }
  } catch (error) {
    // A signature by SHA-1, say, which the security level of OpenSSL does not take.
    const reason = error instanceof Error ? error.message : String(error)
    return { fault: `TLS cannot use the certificate ${paths.certificate}: ${reason}` }
  }
}
