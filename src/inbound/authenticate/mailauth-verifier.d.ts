/** What this room uses of a part of mailauth that has no types of its own. The version is pinned; `verify-signatures.ts`
 *  says why the part is used. */
declare module 'mailauth/lib/dkim/dkim-verifier.js' {
  import type { DKIMVerifyOptions, DKIMVerifyResult } from 'mailauth'

  interface MailauthBodyHash {
    /** Without line ends where the body ends: those are put to the hash when it is known that more follows. */
    update(chunk: Buffer): void
    digest(encoding: 'base64'): string
    setContentType(type: unknown): void
    getMimeStructureStart(): number | undefined
    /** Canonical octets that were hashed, and those that there are. */
    readonly bodyHashedBytes: number
    readonly canonicalizedLength: number
    /** Octets that came. */
    readonly byteLength: number
  }

  class DkimVerifier {
    constructor(options: DKIMVerifyOptions)
    readonly headerFrom: DKIMVerifyResult['headerFrom']
    readonly fromFields: number
    readonly results: DKIMVerifyResult['results']
    readonly arc: DKIMVerifyResult['arc']
    readonly bodyHashes: Map<string, MailauthBodyHash>
    /** The name under which the body is hashed in such a way; '' for no `l=`. */
    addBodyHash(bodyCanon: string, hashAlgo: string, maxBodyLength: number | ''): string
    /** The header, then the body in pieces, then the end. */
    emitHeaders(header: Buffer): Promise<void>
    nextChunk(chunk: Buffer): Promise<void>
    finalChunk(): Promise<void>
  }
}
