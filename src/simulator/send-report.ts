import { dotStuff } from '#protocol/dot-stuffing.ts'
import { connectSmtp } from '#smtp/client.ts'
import type { SmtpTimeouts } from '#smtp/client-timeouts.ts'
import { isMailbox } from '#smtp/envelope-path.ts'

/** The door that reports are sent to. */
export interface ReportDoor {
  readonly host: string
  readonly address: string
  readonly port: number
  /** How we greet it. */
  readonly ehloName: string
}

const SHORT: Partial<SmtpTimeouts> = {
  connectMs: 5000,
  greetingMs: 30_000,
  mailMs: 30_000,
  finalDotMs: 60_000,
}

/** One report over SMTP, from the null sender (RFC 5321 §4.5.5). `later`: no answer, or one that may change. */
export async function sendReport(
  door: ReportDoor,
  { to, content }: { readonly to: string; readonly content: Buffer },
): Promise<'sent' | 'refused' | 'later'> {
  // The address is what a stranger's message says.
  if (!isMailbox(to)) return 'refused'
  const connection = await connectSmtp({ ...door, tls: 'opportunistic', timeouts: SHORT })
  if (!connection.ok) return 'later'
  try {
    const result = await connection.transact({
      mailFrom: '',
      rcptTo: to,
      content: {
        dotStuffed: dotStuff(content),
        size: content.length,
        eightBit: content.some((octet) => octet > 127),
        smtpUtf8: false,
      },
    })
    if (result.kind === 'accepted') return 'sent'
    return result.kind === 'refused' && result.reply.code >= 500 ? 'refused' : 'later'
  } finally {
    await connection.quit()
  }
}
