/** How hard a destination may be pressed before it has said anything. */
export interface PaceLimits {
  /** At once, over all nodes. */
  readonly connections: number
  readonly messagesPerConnection: number
  /** Over all nodes; Infinity sets none. */
  readonly messagesPerSecond: number
}

/** What large receivers are known to bear from a sender without much history, by the names of their MX hosts: their
 *  postmaster pages and what operators of other MTAs ship as defaults. Below what each refuses, since a refusal costs
 *  reputation; a destination that refuses all the same is slowed by what it says (pace.ts). An operator's own figures
 *  come first. */
export const PROVIDER_LIMITS: readonly (readonly [host: string, limits: Partial<PaceLimits>])[] = [
  // Gmail and Google Workspace: many connections, up to a hundred messages on each.
  ['google.com', { connections: 20, messagesPerConnection: 100 }],
  ['googlemail.com', { connections: 20, messagesPerConnection: 100 }],
  // Outlook.com and Microsoft 365: 421 4.7.500 when a new sender opens many.
  ['protection.outlook.com', { connections: 10, messagesPerConnection: 100 }],
  ['olc.protection.outlook.com', { connections: 5, messagesPerConnection: 50 }],
  ['mx.microsoft', { connections: 10, messagesPerConnection: 100 }],
  // Yahoo and AOL close after twenty messages of one connection.
  ['yahoodns.net', { connections: 10, messagesPerConnection: 20 }],
  // iCloud refuses bursts with 450 4.7.1.
  ['icloud.com', { connections: 5, messagesPerConnection: 50, messagesPerSecond: 20 }],
  // Comcast publishes 25 connections and 1,000 messages on each; new senders get less.
  ['comcast.net', { connections: 10, messagesPerConnection: 100 }],
  // GMX, WEB.DE, mail.com.
  ['kundenserver.de', { connections: 5, messagesPerConnection: 50 }],
  ['gmx.net', { connections: 5, messagesPerConnection: 50 }],
  ['web.de', { connections: 5, messagesPerConnection: 50 }],
  // Orange, Free and SFR: two or three connections from one address, a hundred messages on each.
  ['orange.fr', { connections: 2, messagesPerConnection: 100, messagesPerSecond: 2 }],
  ['wanadoo.fr', { connections: 2, messagesPerConnection: 100, messagesPerSecond: 2 }],
  ['free.fr', { connections: 2, messagesPerConnection: 50, messagesPerSecond: 5 }],
  ['sfr.fr', { connections: 2, messagesPerConnection: 50, messagesPerSecond: 5 }],
  ['laposte.net', { connections: 2, messagesPerConnection: 50, messagesPerSecond: 5 }],
  ['t-online.de', { connections: 4, messagesPerConnection: 50 }],
  ['libero.it', { connections: 4, messagesPerConnection: 50 }],
  ['mail.ru', { connections: 5, messagesPerConnection: 50 }],
  ['yandex.ru', { connections: 5, messagesPerConnection: 50 }],
  ['qq.com', { connections: 3, messagesPerConnection: 20, messagesPerSecond: 5 }],
  ['163.com', { connections: 3, messagesPerConnection: 20, messagesPerSecond: 5 }],
  // Security gateways in front of many companies.
  ['mimecast.com', { connections: 10, messagesPerConnection: 50 }],
  ['pphosted.com', { connections: 10, messagesPerConnection: 50 }],
  ['messagelabs.com', { connections: 10, messagesPerConnection: 50 }],
  ['barracudanetworks.com', { connections: 10, messagesPerConnection: 50 }],
]

/** The limits of a destination: of the first of its hosts that is known, `fallback` for the rest. `own` comes before
 *  the table, in its form. */
export function limitsOf(
  hosts: readonly string[],
  fallback: PaceLimits,
  own: typeof PROVIDER_LIMITS = [],
): PaceLimits {
  for (const host of hosts) {
    for (const [name, limits] of [...own, ...byLength]) {
      if (host === name || host.endsWith(`.${name}`)) return { ...fallback, ...limits }
    }
  }
  return fallback
}

/** The more exact name first. */
const byLength = PROVIDER_LIMITS.toSorted(([a], [b]) => b.length - a.length)
