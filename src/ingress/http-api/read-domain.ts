import { domainToASCII } from 'node:url'

/** A domain or host name in the form in which the queue has it: lower-case A-labels, no dot at the end. */
export function readDomain(text: string): string | undefined {
  if (text.length > 1000) return undefined
  const name = domainToASCII(text.replace(/\.$/, ''))
  return /^(?=.{1,253}$)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/.test(name) ? name : undefined
}
