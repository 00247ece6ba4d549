/** Who keeps the mailboxes of a recipient, in one word. */
export type Provider = (typeof PROVIDERS)[number][0] | 'other'

/** By the domains of their addresses and by the names of their MX hosts, each with what lies below it. */
const PROVIDERS = [
  ['google', ['gmail.com', 'googlemail.com', 'google.com']],
  [
    'microsoft',
    [
      'outlook.com',
      'hotmail.com',
      'live.com',
      'msn.com',
      'hotmail.co.uk',
      'hotmail.fr',
      'mx.microsoft',
      'outlook.de',
    ],
  ],
  [
    'yahoo',
    [
      'yahoo.com',
      'yahoodns.net',
      'aol.com',
      'ymail.com',
      'yahoo.co.uk',
      'yahoo.fr',
      'yahoo.de',
      'yahooinc.com',
    ],
  ],
  ['apple', ['icloud.com', 'me.com', 'mac.com', 'apple.com']],
  ['gmx', ['gmx.net', 'gmx.de', 'gmx.com', 'web.de', 'mail.com', 'kundenserver.de']],
  ['comcast', ['comcast.net', 'xfinity.com']],
  ['orange', ['orange.fr', 'wanadoo.fr']],
  ['t-online', ['t-online.de', 'magenta.de']],
  ['yandex', ['yandex.ru', 'ya.ru', 'yandex.com']],
  ['mail-ru', ['mail.ru', 'inbox.ru', 'bk.ru', 'list.ru']],
  ['qq', ['qq.com', 'foxmail.com']],
  ['netease', ['163.com', '126.com', 'yeah.net', 'netease.com']],
  ['proton', ['proton.me', 'protonmail.com', 'pm.me', 'protonmail.ch']],
  ['zoho', ['zoho.com', 'zohomail.com', 'zoho.eu']],
] as const

const BY_NAME: ReadonlyMap<string, Provider> = new Map(
  PROVIDERS.flatMap(([provider, names]) => names.map((name) => [name, provider] as const)),
)

/** Of an address' domain, or of a company's domain by the MX host that answered for it. Neither decides which series
 *  there are: what is not known is 'other'. */
export function providerOf({
  domain,
  host,
}: {
  readonly domain: string
  readonly host?: string | undefined
}): Provider {
  return known(domain) ?? known(host ?? '') ?? 'other'
}

function known(name: string): Provider | undefined {
  const labels = name.toLowerCase().replace(/\.$/, '').split('.').slice(-4)
  for (let from = 0; from < labels.length - 1; from++) {
    const provider = BY_NAME.get(labels.slice(from).join('.'))
    if (provider) return provider
  }
  return undefined
}
