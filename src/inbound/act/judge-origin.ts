import type { Authentication } from '#inbound/authenticate/authentication.ts'
import type { SmtpAnswer } from '#model/smtp-answer.ts'

/** What a message's authentication means for whether it is taken. */
export type Judgement =
  | {
      readonly kind: 'taken'
      /** Its author's domain asks for it to be looked at with suspicion (DMARC quarantine). */
      readonly isSpam: boolean
      /** Whether it is proven that the sender sent it, so that telling the sender of a failure hits nobody else. */
      readonly provesSender: boolean
    }
  /** For good, or for now: DNS did not answer for what would have decided. */
  | { readonly kind: 'refused' | 'not-now'; readonly reply: SmtpAnswer }

export interface OriginContext {
  /** The null sender, and mail to addresses that only we gave out, may prove nothing. */
  readonly exempt: boolean
  /** It goes back over addresses that we rewrote. Bounces have authors of all kinds. */
  readonly returning: boolean
  /** MAIL FROM is the author. */
  readonly byAuthor: boolean
  readonly remoteAddress: string
}

const NO_AUTHOR =
  'The message needs one From field with one author, whom every reader sees alike: nobody can be asked about others'

/** The mail authentication requirement and DMARC (reference-postmaster.md; DECISIONS, Routing). An ARC chain counts where every sealer of it is
 *  trusted: then what passed before the first of them did pass. */
export function judgeOrigin(
  { spf, dkim, dmarc, arc }: Authentication,
  { exempt, returning, byAuthor, remoteAddress }: OriginContext,
): Judgement {
  const before = arc.trustedPass
  const passesDmarc = dmarc.result === 'pass' || before?.dmarc === true
  const isFailing = dmarc.result === 'fail' && !passesDmarc
  // Two authors, or one that readers see differently, would be a way around everybody's policy.
  if (dmarc.result === 'permerror' && !returning) return refused('5.7.1', NO_AUTHOR)
  if (isFailing && dmarc.policy === 'reject' && arc.undecided) return notNow('the keys of its ARC chain')
  if (dmarc.result === 'temperror' && !passesDmarc) return notNow('the DMARC policy of the domain in From')
  if (isFailing && dmarc.policy === 'reject') {
    return refused(
      '5.7.1',
      `Rejected by the DMARC policy of ${dmarc.domain ?? 'the domain in From'}: ${failures()}`,
    )
  }
  const passes =
    spf.result === 'pass' ||
    dkim.some(({ result }) => result === 'pass') ||
    before?.spf === true ||
    before?.dkim === true
  if (!passes && !exempt) {
    const undecided =
      spf.result === 'temperror' || dkim.some(({ result }) => result === 'temperror') || arc.undecided
    if (undecided) return notNow('the SPF record or DKIM key of the sender')
    // RFC 7372 §3.3
    return refused('5.7.26', `Mail has to pass SPF or DKIM: ${failures()}`)
  }
  return {
    kind: 'taken',
    isSpam: isFailing && dmarc.policy === 'quarantine',
    // DMARC proves the author alone (DECISIONS, Routing: a notice only where one of the two passed).
    provesSender: spf.result === 'pass' || (passesDmarc && byAuthor),
  }

  function failures(): string {
    const signatures = dkim.map(({ result, domain }) => `${result} for ${domain}`)
    return `SPF ${spf.result} for ${spf.domain} from ${remoteAddress}, DKIM ${signatures.join(', ') || 'none'}`
  }
}

function refused(enhanced: string, text: string): Judgement {
  return { kind: 'refused', reply: { code: 550, enhanced, text: text.slice(0, 400) } }
}

// RFC 7372 §3.1 has no code of its own for it; RFC 3463 X.4.3, directory server failure.
function notNow(what: string): Judgement {
  const text = `DNS could not be asked about ${what}, try again later`
  return { kind: 'not-now', reply: { code: 451, enhanced: '4.4.3', text } }
}

/** The results as events tell them: one word each. */
export function resultWords({ spf, dkim, dmarc, arc }: Authentication): {
  readonly spf: string
  readonly dkim: string
  readonly dmarc: string
  readonly arc: string
} {
  const signed = dkim.find(({ result }) => result === 'pass') ?? dkim[0]
  return { spf: spf.result, dkim: signed?.result ?? 'none', dmarc: dmarc.result, arc: arc.result }
}
