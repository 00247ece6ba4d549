import type { ApiError } from '#contract/envelope.ts'

/** What somebody at a command line can do about a refusal, by its code; undefined where the server's own words say it. */
export function refusalHint({ code }: Pick<ApiError, 'code'>): string | undefined {
  return HINTS[code]
}

const TOKEN = 'Look at POSTHORN_API_TOKEN or --token-file: the token may be mistyped, revoked or expired.'

const HINTS: Readonly<Record<number, string>> = {
  1000: TOKEN,
  1061: '"posthorn zones list" shows the zones that this token sees.',
  2067: 'Nothing was changed. "posthorn domains onboard … --print" shows what would be written.',
  2068: 'Nothing was changed. Take an include out of the SPF record that you do not need any more.',
  2070: '"posthorn zones check" says what is still missing.',
  6003: TOKEN,
  7003: 'It is not there, or this token does not see it.',
  9109: 'Use a token that may; "posthorn tokens create --permission …" makes one.',
  10000: TOKEN,
}
