import { runClient } from './client-program.ts'

/** What `dig` made of one answer. */
export interface Dug {
  /** NOERROR, NXDOMAIN … */
  readonly status: string
  readonly flags: readonly string[]
  readonly answer: readonly DugRecord[]
  readonly authority: readonly DugRecord[]
  readonly additional: readonly DugRecord[]
  /** Octets of the message. */
  readonly size: number
  readonly text: string
}

export interface DugRecord {
  /** In lower case, without the final dot. */
  readonly name: string
  readonly ttl: number
  readonly type: string
  /** In dig's own words. */
  readonly data: string
}

/** Asks one server, once, and without recursion unless `more` says otherwise. */
export async function dig(
  port: number,
  name: string,
  type: string,
  ...more: readonly string[]
): Promise<Dug> {
  const args = ['@127.0.0.1', '-p', String(port), '+tries=1', '+timeout=5', '+norecurse', ...more, name, type]
  const { status, stdout, stderr } = await runClient('dig', ['-r', ...args], { folder: '/' })
  if (status !== 0) throw new Error(`dig ${args.join(' ')} ended with ${status}: ${stdout}${stderr}`)
  return {
    status: /status: (\w+)/.exec(stdout)?.[1] ?? '',
    flags: /flags: ([a-z ]*);/.exec(stdout)?.[1]?.split(' ') ?? [],
    answer: section(stdout, 'ANSWER'),
    authority: section(stdout, 'AUTHORITY'),
    additional: section(stdout, 'ADDITIONAL'),
    size: Number(/MSG SIZE +rcvd: (\d+)/.exec(stdout)?.[1]),
    text: stdout,
  }
}

function section(text: string, title: string): DugRecord[] {
  const lines = new RegExp(`;; ${title} SECTION:\\n((?:[^;\\n].*\\n)*)`).exec(text)?.[1] ?? ''
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [name = '', ttl = '', , type = '', ...data] = line.split(/\s+/)
      return { name: name.toLowerCase().replace(/\.$/, ''), ttl: Number(ttl), type, data: data.join(' ') }
    })
}

/** A record's data as the API writes its content, with an MX's preference before it. */
export function contentOf({ type, data }: DugRecord): string {
  switch (type) {
    case 'TXT':
      return [...data.matchAll(/"((?:[^"\\]|\\.)*)"/g)]
        .map(([, part = '']) => part.replaceAll(/\\(.)/g, '$1'))
        .join('')
    case 'SSHFP':
    case 'TLSA': {
      const numbers = type === 'TLSA' ? 3 : 2
      const words = data.toLowerCase().split(' ')
      return [...words.slice(0, numbers), words.slice(numbers).join('')].join(' ')
    }
    case 'CAA':
    case 'A':
    case 'AAAA':
      return data
    default:
      return data.toLowerCase().replace(/\.$/, '')
  }
}
