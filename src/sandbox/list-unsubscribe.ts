/** What a List-Unsubscribe field offers, under Mailpit's names. */
export interface ListUnsubscribeView {
  readonly Header: string
  readonly Links: readonly string[]
  /** What is wrong with the field; empty where nothing is. */
  readonly Errors: string
  readonly HeaderPost: string
}

const MAX_LENGTH = 8 * 1024

/** RFC 2369 §2: a list of URIs in angle brackets, separated by commas, with comments between them. */
export function viewListUnsubscribe(header: string, post: string): ListUnsubscribeView {
  const links: string[] = []
  const errors: string[] = []
  const value = header.slice(0, MAX_LENGTH)
  for (const [, uri = ''] of value.matchAll(/<([^<>]*)>/g)) {
    const fault = faultOf(uri)
    if (fault === undefined) links.push(uri)
    else errors.push(fault)
  }
  const rest = value.replace(/<[^<>]*>/g, '').replace(/\([^()]*\)/g, '')
  if (header !== '' && /[^\s,]/.test(rest)) errors.push(`"${rest.trim()}" stands outside of angle brackets`)
  else if (header !== '' && links.length + errors.length === 0) errors.push('no link was found')
  return { Header: header, Links: links, Errors: errors.join(', '), HeaderPost: post }
}

function faultOf(uri: string): string | undefined {
  if (/\s/.test(uri)) return `"${uri}" contains white space`
  if (!/^(?:mailto:|https?:\/\/)[^/?#]/i.test(uri)) return `"${uri}" is neither mailto: nor http(s)://`
  return URL.canParse(uri) ? undefined : `"${uri}" is no URL`
}
