import type { ClientWire, Heard } from './client-wire.ts'

/** Name and password for AUTH (RFC 4954), in any characters but NUL. */
export interface ClientLogin {
  readonly username: string
  readonly password: string
}

/** In the order in which they are preferred: PLAIN is the standard (RFC 4616) and one round trip less. */
const MECHANISMS = ['PLAIN', 'LOGIN'] as const
const HIDDEN = '(credentials)'
/** RFC 5321 §4.5.3.1.4, CRLF included. RFC 4954 §4: what does not fit comes in answer to the 334. */
const MAX_COMMAND = 512
/** Shorter pieces of a secret in base64 occur in ordinary words. */
const FRAGMENT = /[A-Za-z0-9+/]{8,}={0,2}/g

/** Says AUTH by the best mechanism of `offered`, the parameters of EHLO's AUTH. Out: the last reply, 2yz when the login
 *  holds. `ms` is the wait for each reply. What it says and what the peer repeats of it stay out of the record and out
 *  of the replies. */
export async function logIn(
  wire: ClientWire,
  login: ClientLogin,
  { offered, ms }: { readonly offered: string; readonly ms: number },
): Promise<Heard | 'not-offered'> {
  const names = offered.toUpperCase().split(' ')
  const mechanism = MECHANISMS.find((name) => names.includes(name))
  if (mechanism === undefined) return 'not-offered'
  const responses = responsesOf(mechanism, login)
  const initial = `AUTH ${mechanism} ${responses[0]}\r\n`
  const short = mechanism === 'PLAIN' && initial.length <= MAX_COMMAND
  wire.conceal(concealing(login))
  try {
    if (short) wire.say(initial, `AUTH ${mechanism} ${HIDDEN}`)
    else wire.say(`AUTH ${mechanism}\r\n`)
    for (const response of short ? [] : responses) {
      const challenge = await wire.hear(ms, 'reply to AUTH')
      if (!('code' in challenge) || challenge.code !== 334) return settled(wire, challenge, 'early')
      wire.say(`${response}\r\n`, HIDDEN)
    }
    return settled(wire, await wire.hear(ms, 'reply to AUTH'), 'last')
  } finally {
    wire.conceal(undefined)
  }
}

function responsesOf(mechanism: (typeof MECHANISMS)[number], { username, password }: ClientLogin): string[] {
  return mechanism === 'PLAIN' ? [base64(`\0${username}\0${password}`)] : [username, password].map(base64)
}

/** A yes before everything was said, and another challenge after it, belong to another exchange than ours. */
function settled(wire: ClientWire, heard: Heard, when: 'early' | 'last'): Heard {
  if (!('code' in heard) || heard.code >= 400 || (when === 'last' && heard.code < 300)) return heard
  wire.fail({ reason: 'protocol', message: `Protocol error: ${heard.code} in reply to AUTH` })
  return wire.fault ?? heard
}

/** Hosts quote the line that they do not understand, whole or cut short. */
function concealing({ username, password }: ClientLogin): (line: string) => string {
  const encoded = [`\0${username}\0${password}`, username, password].map(base64)
  const secrets = [password, ...encoded].filter((secret) => secret !== '')
  const isPart = (text: string) => encoded.some((secret) => secret.includes(text))
  return (line) => {
    const whole = secrets.reduce((rest, secret) => rest.replaceAll(secret, HIDDEN), line)
    return whole.replaceAll(FRAGMENT, (text) => (isPart(text) ? HIDDEN : text))
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
