/** A path as it stands between the angle brackets of MAIL and RCPT (RFC 5321 §4.1.2), cut into nothing further: what
 *  a mailbox means is for whoever owns the policy. */
export interface ReadPath {
  /** Without the brackets; '' for the null path `<>`. */
  readonly path: string
  /** What follows the closing bracket. */
  readonly rest: string
}

export type PathFault = { readonly fault: 'syntax' | 'source-route' | 'too-long' }

// Characters outside ASCII are those of RFC 6531 §3.3; the door decides whether a transaction may have them.
const ATEXT = String.raw`[A-Za-z0-9!#$%&'*+/=?^_\x60{|}~\u00a0-\u{10ffff}-]`
const DOT_STRING = String.raw`${ATEXT}+(?:\.${ATEXT}+)*`
const QUOTED_STRING = String.raw`"(?:[ !#-\[\]-~\u00a0-\u{10ffff}]|\\[ -~])*"`
// Underscores are not RFC 5321's, but hosts bear them and mail comes from there.
const LABEL = String.raw`[A-Za-z0-9_\u00a0-\u{10ffff}](?:[A-Za-z0-9_\u00a0-\u{10ffff}-]*[A-Za-z0-9_\u00a0-\u{10ffff}])?`
const DOMAIN = String.raw`${LABEL}(?:\.${LABEL})*`
const LITERAL = String.raw`\[[!-Z^-~]+\]`
const MAILBOX = `(?:${DOT_STRING}|${QUOTED_STRING})@(?:${DOMAIN}|${LITERAL})`

const BRACKETED = new RegExp(`^<(${MAILBOX}|)>`, 'u')
const WHOLE = new RegExp(`^${MAILBOX}$`, 'u')
// RFC 5321 §4.1.1.3 requires RCPT TO:<postmaster> to work without a domain.
const POSTMASTER = /^<(postmaster)>/i

/** Twice what RFC 5321 §4.5.3.1.3 asks for: return paths with long local parts are common, and §4.5.3.1 wants no
 *  limit enforced that is not needed. */
const MAX_PATH = 512

/** Reads the path at the start of `text`. A source route (`<@relay:user@host>`, RFC 5321 appendix C) is refused. */
export function readPath(text: string): ReadPath | PathFault {
  const match = BRACKETED.exec(text) ?? POSTMASTER.exec(text)
  const path = match?.[1]
  if (match === null || path === undefined)
    return { fault: text.startsWith('<@') ? 'source-route' : 'syntax' }
  if (path.length > MAX_PATH) return { fault: 'too-long' }
  return { path, rest: text.slice(match[0].length) }
}

/** Whether `text` can stand between the brackets of MAIL or RCPT without ending them, or the line, early. */
export function isMailbox(text: string): boolean {
  return text.length <= MAX_PATH && WHOLE.test(text)
}
