import type { DKIMVerifyOptions, DKIMVerifyResult } from 'mailauth'
import { DkimVerifier } from 'mailauth/lib/dkim/dkim-verifier.js'
import { BodyMeasure } from './body-measure.ts'
import type { OpenMessage } from './open-message.ts'

export interface VerifiedSignatures extends Pick<DKIMVerifyResult, 'headerFrom' | 'fromFields' | 'results'> {
  readonly arc: DKIMVerifyResult['arc']
}

/** mailauth's `dkimVerify` with bodies hashed by ourselves. Its own hashing of a body in relaxed canonicalisation copies
 *  the start of an unfinished line with every piece that comes, so that 25 MiB without a line end cost hundreds of
 *  megabytes and seconds, and short words a second and a half. */
export async function verifySignatures(
  { signedHeader, bodyPieces }: Pick<OpenMessage, 'signedHeader' | 'bodyPieces'>,
  options: DKIMVerifyOptions,
): Promise<VerifiedSignatures> {
  const verifier = new MeasuringVerifier(options)
  await verifier.emitHeaders(signedHeader)
  if (verifier.bodyHashes.size > 0) {
    for await (const piece of bodyPieces()) await verifier.nextChunk(piece)
  }
  await verifier.finalChunk()
  const { headerFrom, fromFields, results, arc } = verifier
  return { headerFrom, fromFields, results, arc }
}

class MeasuringVerifier extends DkimVerifier {
  override addBodyHash(bodyCanon: string, hashAlgo: string, maxBodyLength: number | ''): string {
    const key = `${bodyCanon}:${hashAlgo}:${maxBodyLength}`
    if (!this.bodyHashes.has(key)) {
      const limit = maxBodyLength === '' ? Number.POSITIVE_INFINITY : maxBodyLength
      this.bodyHashes.set(key, new BodyMeasure(bodyCanon, hashAlgo, limit))
    }
    return key
  }
}
