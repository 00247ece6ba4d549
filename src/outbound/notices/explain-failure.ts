import { formatDate } from '#outbound/compose/platform-fields.ts'
import { withoutControls } from '#protocol/fold.ts'
import { trimWhiteSpace } from '#protocol/header-block.ts'
import { CAUSE_WORDS } from './cause-words.ts'
import type { Failure } from './failure.ts'
import { isSmtpReply, statusOf } from './status-of.ts'

const WIDTH = 76
const LONGEST_SUBJECT = 200
const LONGEST_REPLY = 2000

/** The part for people: what failed, why, what the other server said, what to do. Lines end in LF. Whatever a stranger
 *  wrote stands behind white space, on lines of its own or behind the name of its field. */
export function explainFailure(failure: Failure, host: string): string {
  const { message, recipient, end } = failure
  const { why, advice } = CAUSE_WORDS[failure.cause]
  const again = end === 'expired' ? 'in time' : 'to one recipient'
  const paragraphs = [
    wrap(`Your message could not be delivered ${again}, and will not be tried again.`),
    [
      // A line each, as the specification's Worker for bounces looks for them.
      `  Recipient:  ${recipient}`,
      `  Reason:     ${why} (${statusOf(failure)})`,
      `  Subject:    ${shown(message.subject, LONGEST_SUBJECT)}`,
      `  Sent:       ${formatDate(new Date(message.createdAt))}`,
      `  Message-ID: ${message.headerMessageId}`,
    ].join('\n'),
    ...(end === 'expired' ? [wrap(triedUntil(failure))] : []),
    ...answered(failure),
    wrap(advice),
    ...(failure.suppression ? [wrap(suppressed(failure.suppression.forMs))] : []),
    wrap(`This notice comes from the mail service at ${host}. Nobody reads answers to it.`),
  ]
  return `${paragraphs.join('\n\n')}\n`
}

function triedUntil({ attempts, at }: Failure): string {
  const times = attempts === 1 ? 'once' : `${attempts} times`
  return `It was tried ${times} until ${formatDate(new Date(at))}.`
}

function answered({ reply, host, address }: Failure): string[] {
  const lines = (reply ?? '')
    .slice(0, LONGEST_REPLY)
    .split(/\r?\n/)
    .map((line) => trimWhiteSpace(withoutControls(line)))
    .filter((line) => line !== '')
  if (lines.length === 0) return []
  const server = host === undefined ? 'the server' : `${host}${address === undefined ? '' : ` [${address}]`}`
  const said = isSmtpReply(reply) ? `This is what ${server} said:` : 'This is what happened:'
  return [wrap(shown(said, LONGEST_SUBJECT)), lines.map((line) => wrap(line, '    ')).join('\n')]
}

function suppressed(forMs: number | null): string {
  const until = forMs === null ? 'until you take it off' : 'until it comes off by itself or you take it off'
  return `The address is on your suppression list now: messages to it are refused ${until}.`
}

function shown(text: string, longest: number): string {
  const clean = trimWhiteSpace(withoutControls(text))
  const characters = Array.from(clean)
  return characters.length > longest ? `${characters.slice(0, longest).join('')}…` : clean
}

function wrap(text: string, indent = ''): string {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && indent.length + line.length + 1 + word.length > WIDTH) {
      lines.push(indent + line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, indent + line].join('\n')
}
