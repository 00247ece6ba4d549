import { createPrivateKey, X509Certificate } from 'node:crypto'
import { chmod, mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type CertifiedKey,
  carries,
  issueAuthority,
  issueLeaf,
  nameConstraints,
  subjectAlternativeNames,
} from './certificate-issue.ts'

/** The development CA: certificates for the doors of one machine, trusted by whoever trusts one file.
 *  In: a folder and the service domain. Out: the CA's certificate, and one leaf for every host name of the service.
 *  Promise: the CA's own name constraints (RFC 5280 §4.2.1.10) keep it from vouching for any other name, so that
 *  trusting it opens no door to the rest of the web; its key is readable by its owner alone; it survives restarts. */
export interface CertificateAuthority {
  /** The CA's certificate, PEM, for clients that verify. */
  readonly certificate: string
  /** Where that certificate lies. */
  readonly certificatePath: string
  /** What a TLS door shows, PEM; the names are those of `tls.createServer`. */
  readonly leaf: { readonly cert: string; readonly key: string }
}

export interface CertificateAuthorityOptions {
  /** Made when absent; its mode becomes 0700. */
  readonly folder: string
  readonly serviceDomain: string
  /** Milliseconds since 1970; decides about renewal. */
  readonly clock?: () => number
}

const DAY_MS = 24 * 60 * 60 * 1000
// Someone told clients by hand to trust the CA, so it changes as seldom as it can.
const CA_LIFE = { validMs: 10 * 365 * DAY_MS, renewMs: 90 * DAY_MS }
// Apple's clients refuse leaves that are valid for more than 825 days, whoever signed them.
const LEAF_LIFE = { validMs: 397 * DAY_MS, renewMs: 30 * DAY_MS }

/** Opens the CA of `folder`; makes or renews it and its leaf where they are absent, damaged, made for another service
 *  domain, or have less than three months (the leaf: one month) to live. */
export async function openCertificateAuthority(
  options: CertificateAuthorityOptions,
): Promise<CertificateAuthority> {
  const { folder, serviceDomain, clock = Date.now } = options
  const now = clock()
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await chmod(folder, 0o700)

  const constraints = nameConstraints(['localhost', serviceDomain, '127.0.0.1', '::1'])
  const ca = await keep(pairFiles(folder, 'ca'), {
    fits: (pair) => lives(pair, now + CA_LIFE.renewMs) && carries(pair.certificate, constraints),
    issue: () => issueAuthority({ constraints, now, validMs: CA_LIFE.validMs }),
  })

  // A wildcard stands for one label (RFC 9525 §6.3), hence the second one for route1.mx and its kin.
  const hosts = [
    'localhost',
    '127.0.0.1',
    '::1',
    serviceDomain,
    `*.${serviceDomain}`,
    `*.mx.${serviceDomain}`,
  ]
  const names = subjectAlternativeNames(hosts)
  const leaf = await keep(pairFiles(folder, 'leaf'), {
    fits: (pair) =>
      lives(pair, now + LEAF_LIFE.renewMs) &&
      carries(pair.certificate, names) &&
      pair.certificate.verify(ca.certificate.publicKey),
    issue: () => issueLeaf(ca, { names, now, validMs: LEAF_LIFE.validMs }),
  })

  return {
    certificate: ca.certificate.toString(),
    certificatePath: pairFiles(folder, 'ca').certificate,
    leaf: { cert: leaf.certificate.toString(), key: keyPem(leaf) },
  }
}

interface PairFiles {
  readonly certificate: string
  readonly key: string
}

function pairFiles(folder: string, name: 'ca' | 'leaf'): PairFiles {
  return { certificate: join(folder, `${name}.pem`), key: join(folder, `${name}-key.pem`) }
}

interface Keeping {
  readonly fits: (pair: CertifiedKey) => boolean
  readonly issue: () => Promise<CertifiedKey>
}

async function keep(files: PairFiles, { fits, issue }: Keeping): Promise<CertifiedKey> {
  const kept = await readPair(files)
  if (kept && fits(kept)) return kept
  const issued = await issue()
  await writeDurably(files.key, keyPem(issued), 0o600)
  await writeDurably(files.certificate, issued.certificate.toString(), 0o644)
  return issued
}

async function readPair(files: PairFiles): Promise<CertifiedKey | undefined> {
  try {
    await chmod(files.key, 0o600)
    const certificate = new X509Certificate(await readFile(files.certificate))
    const key = createPrivateKey(await readFile(files.key))
    // A crash between the two renames leaves a key without its certificate.
    return certificate.checkPrivateKey(key) ? { certificate, key } : undefined
  } catch (error) {
    if (isAbsentOrDamaged(error)) return undefined
    throw error
  }
}

function isAbsentOrDamaged(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return code === 'ENOENT' || code.startsWith('ERR_OSSL')
}

function lives(pair: CertifiedKey, until: number): boolean {
  return pair.certificate.validToDate.getTime() > until
}

function keyPem(pair: CertifiedKey): string {
  return pair.key.export({ type: 'pkcs8', format: 'pem' })
}

async function writeDurably(path: string, content: string, mode: number): Promise<void> {
  const fresh = `${path}.new`
  await rm(fresh, { force: true })
  await using file = await open(fresh, 'wx', mode)
  await file.writeFile(content)
  await file.sync()
  await rename(fresh, path)
}
