import { type Argon2Parameters, argon2, randomBytes, timingSafeEqual } from 'node:crypto'

/** Passwords of people. In: what somebody typed. Out: what is stored of it, and whether it is that.
 *  Promise: one computation for each call, of the same cost, whether or not there is anything to compare with; no more
 *  than a few at a time, so that whoever guesses takes neither the memory nor the processors of those who send mail. */
export interface Passwords {
  /** Argon2id as a PHC string; undefined where too many wait. */
  hash(password: string): Promise<string | undefined>
  /** `stored` undefined: nobody has this password, and to find that out takes as long. `busy` where too many wait. */
  matches(password: string, stored: string | undefined): Promise<boolean | 'busy'>
}

/** OWASP's Password Storage Cheat Sheet, its second choice of equal strength: 19 MiB, two passes, one lane. */
const COST = { memory: 19_456, passes: 2, parallelism: 1 } as const
const TAG_LENGTH = 32
const SALT_LENGTH = 16
/** Each takes some 50 ms of one processor. */
const AT_ONCE = 2
const WAITING = 40

interface Stored {
  readonly memory: number
  readonly passes: number
  readonly parallelism: number
  readonly salt: Buffer
  readonly tag: Buffer
}

/** Of no password that anybody knows. */
const NOBODYS: Stored = { ...COST, salt: randomBytes(SALT_LENGTH), tag: randomBytes(TAG_LENGTH) }

export function openPasswords(): Passwords {
  const waiting: (() => void)[] = []
  let running = 0

  /** Undefined where too many wait. */
  async function inTurn<T>(work: () => Promise<T>): Promise<T | undefined> {
    if (running >= AT_ONCE) {
      if (waiting.length >= WAITING) return undefined
      await new Promise<void>((resolve) => waiting.push(resolve))
    } else running += 1
    try {
      return await work()
    } finally {
      // Whoever waits takes the place over.
      const next = waiting.shift()
      if (next) next()
      else running -= 1
    }
  }

  return {
    hash: (password) =>
      inTurn(async () => {
        const salt = randomBytes(SALT_LENGTH)
        return written({ ...COST, salt, tag: await derive(password, { ...COST, salt }) })
      }),

    async matches(password, stored) {
      const matched = await inTurn(async () => {
        const known = stored === undefined ? NOBODYS : parse(stored)
        const tag = await derive(password, known)
        return timingSafeEqual(tag, known.tag) && stored !== undefined
      })
      return matched ?? 'busy'
    },
  }
}

function derive(
  password: string,
  { memory, passes, parallelism, salt }: Omit<Stored, 'tag'>,
): Promise<Buffer> {
  const parameters: Argon2Parameters = {
    // NIST SP 800-63B §5.1.1.2: keyboards write the same letters in several ways.
    message: Buffer.from(password.normalize('NFKC')),
    ...{ nonce: salt, memory, passes, parallelism, tagLength: TAG_LENGTH },
  }
  return new Promise((resolve, reject) => {
    argon2('argon2id', parameters, (error, tag) => (error ? reject(error) : resolve(tag)))
  })
}

/** https://github.com/P-H-C/phc-string-format, as every other program writes Argon2. */
function written({ memory, passes, parallelism, salt, tag }: Stored): string {
  const [s, t] = [salt, tag].map((octets) => octets.toString('base64').replace(/=+$/, ''))
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${s}$${t}`
}

const PHC =
  /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})$/

/** Written by this room alone: anything else is a bug. */
function parse(stored: string): Stored {
  const [, memory, passes, parallelism, salt = '', tag = ''] = PHC.exec(stored) ?? []
  if (memory === undefined) throw new TypeError('a stored password is none')
  return {
    ...{ memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) },
    ...{ salt: Buffer.from(salt, 'base64'), tag: Buffer.from(tag, 'base64') },
  }
}
