import type { Cause } from '#model/event.ts'

export interface CauseWords {
  /** A sentence for whoever sent the message. */
  readonly why: string
  /** What they can do about it. */
  readonly advice: string
  /** Subject and detail of the status code (RFC 3463 §3) where the reply has none. */
  readonly status: string
}

const CHECK_ADDRESS = 'Check the address for typing mistakes, and take it off your lists.'
const ASK_RECIPIENT = 'Ask the recipient, by another way, to let your mail through.'
const LATER = 'Send the message again later.'

export const CAUSE_WORDS = {
  'recipient-unknown': { why: 'The address does not exist.', advice: CHECK_ADDRESS, status: '1.1' },
  'recipient-domain-unknown': {
    why: 'The domain of the address does not exist, or nothing there takes mail.',
    advice: 'Check the part behind the @ for typing mistakes.',
    status: '1.2',
  },
  'recipient-domain-closed': {
    why: 'The domain of the address says that it takes no mail.',
    advice: 'Check the part behind the @ for typing mistakes.',
    status: '1.10',
  },
  'recipient-moved': {
    why: 'The recipient has moved.',
    advice: 'The reply above may say where to. Take the old address off your lists.',
    status: '1.6',
  },
  'recipient-disabled': {
    why: 'The mailbox is there but switched off.',
    advice: 'Take the address off your lists, or ask the recipient by another way.',
    status: '2.1',
  },
  'recipient-refused': {
    why: 'The recipient or their mail server does not take this mail.',
    advice: ASK_RECIPIENT,
    status: '2.0',
  },
  'recipient-full': { why: 'The mailbox is full.', advice: LATER, status: '2.2' },
  'recipient-rate-limited': {
    why: 'The mailbox gets more mail than its server takes at a time.',
    advice: LATER,
    status: '2.0',
  },
  'content-too-large': {
    why: 'The message is larger than the server takes.',
    advice: 'Send it without its attachments, or with links to them.',
    status: '3.4',
  },
  'content-spam': {
    why: 'The server took the message for spam.',
    advice: 'Look at its wording and its links, and whether the recipient asked for it.',
    status: '7.1',
  },
  'content-virus': {
    why: 'The server took the message for malware.',
    advice: 'Look at its attachments and its links.',
    status: '7.1',
  },
  'content-malformed': {
    why: 'The server finds that the message is not built as it should be.',
    advice: 'Look at how the message is composed; the reply above may say what is wrong with it.',
    status: '6.0',
  },
  'sender-authentication': {
    why: 'The server could not verify that the message comes from your domain.',
    advice: 'Check the SPF, DKIM and DMARC records of your domain.',
    status: '7.1',
  },
  'sender-dns': {
    why: 'The server does not trust the DNS names of the host that sends your mail.',
    advice: 'Tell whoever runs your mail service.',
    status: '7.25',
  },
  'sender-blocked': {
    why: 'The server blocks your domain, or the host that sends your mail.',
    advice: 'The reply above may name the block list. Tell whoever runs your mail service.',
    status: '7.1',
  },
  'sender-rate-limited': {
    why: 'The server takes no more of your mail for now.',
    advice: 'Send less at a time, and send the message again later.',
    status: '7.0',
  },
  'sender-refused': {
    why: 'The server does not take mail from your address.',
    advice: ASK_RECIPIENT,
    status: '7.1',
  },
  policy: {
    why: 'The server refused the message by a rule of its own.',
    advice: 'The reply above may say which. Or ask the recipient by another way.',
    status: '7.1',
  },
  smarthost: {
    why: 'Your own smarthost did not take the login that is configured for it.',
    advice: "Check the smarthost's user name and password.",
    status: '7.8',
  },
  'relay-denied': {
    why: 'The server that DNS names for the domain does not take its mail.',
    advice: 'Check the address for typing mistakes. Or tell the recipient by another way.',
    status: '7.1',
  },
  greylisted: { why: 'The server asked to try again later, each time.', advice: LATER, status: '7.1' },
  'host-unreachable': { why: "The domain's mail server could not be reached.", advice: LATER, status: '4.1' },
  'connection-lost': {
    why: 'The connection to the server broke off, so the message may have arrived all the same.',
    advice: 'Ask the recipient before you send it again.',
    status: '4.2',
  },
  dns: {
    why: "The domain's records could not be read from DNS.",
    advice: 'Check the part behind the @ for typing mistakes, and send the message again later.',
    status: '4.3',
  },
  tls: {
    why: 'No connection was possible that is as protected as your message or the domain wants it.',
    advice: 'Tell the recipient by another way; their server has to be mended.',
    status: '7.5',
  },
  protocol: {
    why: 'The server does not keep to the rules of SMTP, or lacks what the message needs.',
    advice: 'Tell the recipient by another way.',
    status: '5.0',
  },
  system: { why: 'The server has a problem of its own.', advice: LATER, status: '3.0' },
  loop: {
    why: 'The message would go round in circles.',
    advice: 'Tell the recipient by another way; their mail server has to be mended.',
    status: '4.6',
  },
  expired: { why: 'There was no attempt.', advice: LATER, status: '4.7' },
  cancelled: {
    why: 'The message was taken back before it went out.',
    advice: LATER,
    status: '7.0',
  },
  suppressed: {
    why: 'The address is on your suppression list.',
    advice: 'Take it off the list if it should get your mail.',
    status: '7.1',
  },
  other: {
    why: 'The server refused the message.',
    advice: 'The reply above may say why. Or ask the recipient by another way.',
    status: '0.0',
  },
} as const satisfies Record<Cause, CauseWords>
