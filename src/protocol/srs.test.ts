import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { domainOf, localPartOf } from '#model/address.ts'
import { isAddress, parseAddress } from './address.ts'
import type { TagKey } from './keyed-tag.ts'
import { encodeReturnPath } from './return-path.ts'
import { decodeSrs, encodeSrs } from './srs.ts'

const OLD: TagKey = { version: 0, key: createHash('sha256').update('old').digest() }
const KEY: TagKey = { version: 255, key: createHash('sha256').update('new').digest() }
const OURS = 'email.posthorn.test'
const DAY = 86_400_000
const NOW = Date.parse('2026-11-20T21:36:00Z')

function rewrite(sender: string, { key = KEY, now = NOW, domain = OURS } = {}): string {
  return encodeSrs(sender, { domain, key, now })
}

/** As the MX door does it: what stands before the last @. */
function back(address: string, { keys = [OLD, KEY], now = NOW } = {}): string {
  return decodeSrs(address.slice(0, address.lastIndexOf('@')), keys, now)
}

const address = fc
  .oneof(
    fc.emailAddress(),
    fc
      .tuple(
        fc.string({
          unit: fc.constantFrom(...Array.from('aZ9.=+-_@"\\ !#äß用Σς/{')),
          minLength: 1,
          maxLength: 20,
        }),
        fc.domain(),
      )
      .map(([content, domain]) => `"${content.replaceAll(/["\\]/g, '\\$&')}"@${domain}`),
    fc
      .constantFrom('0=+-'.split(''))
      .chain(([...separators]) =>
        fc.constantFrom(...separators).map((one) => `SRS${one}a=b=c==d@example.net`),
      ),
  )
  .map(parseAddress)
  .filter(isAddress)

describe('SRS0', () => {
  test('names the sender in clear, in the forwarding domain', () => {
    assert.match(
      rewrite('jane@example.com'),
      /^SRS0=74[a-z2-7]{10}=[a-z2-7]{2}=example\.com=jane@email\.posthorn\.test$/,
    )
    assert.equal(back(rewrite('jane@example.com')), 'jane@example.com')
  })

  const SENDERS = {
    'its case': 'Jane.Doe@example.com',
    'an equals sign and a plus': 'bounces+12=ab=example.org@em1.example.com',
    'a quoted string': '"john doe"@example.com',
    'quotes and backslashes in it': '"a\\"b\\\\c@d"@example.com',
    'a dot at the start of it': '".jane"@example.com',
    'a local part beyond ASCII': 'jäne@example.com',
    'a quoted one beyond ASCII': '"jä ne"@example.com',
    'a local part of 64 octets': `${'a'.repeat(64)}@example.com`,
    'a local part beyond 64 octets': `${'b'.repeat(120)}@example.com`,
    'a domain with underscores': 'jane@bounce_1.example.com',
    'an A-label': 'jane@xn--bcher-kva.example',
    'SRS in the middle': 'x-SRS0=a@example.com',
    'a letter that only folds to an S': 'ſRS0=a@example.com',
  }
  for (const [what, sender] of Object.entries(SENDERS)) {
    test(`gives back ${what}`, () => assert.equal(back(rewrite(sender)), sender))
  }

  test('the domain comes back in lower case and in A-labels', () => {
    assert.equal(back(rewrite('Jane@Bücher.EXAMPLE')), 'Jane@xn--bcher-kva.example')
  })

  test('survives hosts that fold case, but for the case of the local part', () => {
    assert.equal(back(rewrite('Jane@example.com').toLowerCase()), 'jane@example.com')
    assert.equal(back(rewrite('Jane@example.com').toUpperCase()), 'JANE@example.com')
  })

  test('fits where an ordinary address does, and is an address of RFC 5321 there', () => {
    const rewritten = rewrite('firstname.lastname@mail.example.com')
    assert.equal(parseAddress(rewritten), rewritten)
  })

  const UNFIT = [
    'jane@[192.0.2.1]',
    'jane@localhost',
    '@example.com',
    'jane',
    `${'a'.repeat(230)}@example.com`,
    'a@1.2.0x7f',
  ]
  for (const sender of UNFIT) {
    test(`${sender.slice(0, 20)} is unfit`, () => assert.equal(rewrite(sender), 'unfit'))
  }
})

describe('SRS1', () => {
  const OTHER = 'SRS0=HHH=TT=example.com=Jane@forwarder.example'

  test('goes back to the first forwarder, and not through the ones between', () => {
    const first = rewrite(OTHER)
    assert.match(first, /^SRS1=74[a-z2-7]{12}=forwarder\.example==HHH=TT=example\.com=Jane@/)
    assert.equal(back(first), OTHER)
    const second = rewrite('SRS1=XXX=forwarder.example==HHH=TT=example.com=Jane@second.example')
    assert.equal(second, first)
  })

  test('keeps the first separator of another forwarder', () => {
    for (const sign of '=+-') {
      const sender = `SRS0${sign}HHH=TT=example.com=jane@forwarder.example`
      assert.equal(back(rewrite(sender)), sender)
    }
  })

  test('two installations, one behind the other, each find their way', () => {
    const first = rewrite('jane@example.com', { domain: 'email.first.example', key: OLD })
    const second = rewrite(first)
    const third = rewrite(second, { domain: 'email.third.example', key: { ...KEY, version: 9 } })
    assert.equal(back(third, { keys: [{ ...KEY, version: 9 }] }), first)
    assert.equal(back(second), first)
    assert.equal(back(first), 'jane@example.com')
  })

  test('an address of ours that comes in as a sender stays as it is', () => {
    const ours = rewrite('jane@example.com')
    assert.equal(rewrite(ours), ours)
    assert.equal(back(rewrite(`SRS0=forged=aa=example.com=jane@${OURS}`)), 'unknown')
  })

  test('a first forwarder that is no domain is part of the local part', () => {
    const sender = 'SRS1=XXX=no domain==HHH=TT=example.com=jane@second.example'
    assert.match(rewrite(`"${sender.replace('@', '"@')}`), /^"SRS0=/)
    assert.equal(back(rewrite('SRS1=XXX=ab==HHH@second.example')), 'SRS1=XXX=ab==HHH@second.example')
  })
})

describe('what is not ours', () => {
  test('is unknown where it has another form', () => {
    for (const local of [
      'jane',
      'SRS0',
      'SRS0=',
      'SRS0=a=b=c=d',
      'SRS2=abcdefghijkl=aa=b=c',
      'a'.repeat(100_000),
      encodeReturnPath('0'.repeat(32), KEY),
    ])
      assert.equal(decodeSrs(local, [KEY], NOW), 'unknown')
  })

  test('is forged where another key made it, or none', () => {
    const ours = rewrite('jane@example.com')
    assert.equal(back(ours, { keys: [OLD] }), 'forged')
    assert.equal(back(ours, { keys: [{ ...OLD, version: KEY.version }] }), 'forged')
    assert.equal(back(ours, { keys: [{ ...KEY, version: 1 }] }), 'forged')
    assert.equal(back(ours, { keys: [] }), 'forged')
    assert.equal(back(`SRS0=${'a'.repeat(12)}=aa=example.com=victim@${OURS}`), 'forged')
    assert.equal(back(`SRS1=${'a'.repeat(14)}=example.com==victim@${OURS}`), 'forged')
  })

  test('an older key is good while it is kept', () => {
    assert.equal(back(rewrite('jane@example.com', { key: OLD })), 'jane@example.com')
  })

  test('is expired after 21 days, and not made good again when its day comes round', () => {
    for (const sender of ['jane@example.com', 'SRS0=a=b=c=d@forwarder.example']) {
      const ours = rewrite(sender)
      for (const days of [-1, 0, 1, 20, 21])
        assert.equal(back(ours, { now: NOW + days * DAY }), sender, `${days}`)
      for (const days of [22, 100, 1022])
        assert.equal(back(ours, { now: NOW + days * DAY }), 'expired', `${days}`)
      for (const days of [-2, 1023, 1024, 1030, 2048])
        assert.equal(back(ours, { now: NOW + days * DAY }), 'forged', `${days}`)
    }
  })
})

describe('any address', () => {
  test('comes back, on any day of its life', () => {
    const day = fc.integer({ min: 0, max: 40_000 }).map((days) => days * DAY)
    fc.assert(
      fc.property(address, day, fc.nat(21 * DAY - 1), (sender, made, later) => {
        const ours = rewrite(sender, { now: made })
        if (ours === 'unfit') return
        assert.equal(back(ours, { now: made + later }), sender)
        assert.ok(Buffer.byteLength(ours) <= 254)
      }),
      { numRuns: 1000 },
    )
  })

  test('with one character changed leads nowhere else', () => {
    const signs = fc.constantFrom(...Array.from('aAbz27=+-.@"\\ 0ſ\u212aä'))
    fc.assert(
      fc.property(
        address,
        fc.nat(),
        signs,
        fc.constantFrom('replace', 'insert', 'cut'),
        (sender, where, sign, how) => {
          const ours = rewrite(sender)
          if (ours === 'unfit') return
          const local = ours.slice(0, ours.lastIndexOf('@'))
          const at = where % local.length
          const forged =
            how === 'cut'
              ? local.slice(0, at)
              : local.slice(0, at) + sign + local.slice(how === 'insert' ? at : at + 1)
          const decoded = decodeSrs(forged, [OLD, KEY], NOW)
          if (decoded === 'unknown' || decoded === 'forged' || decoded === 'expired') return
          // What folds to the same is the same mailbox.
          assert.equal(decoded.normalize('NFC').toLowerCase(), sender.toLowerCase())
        },
      ),
      { numRuns: 5000 },
    )
  })

  test('a stranger’s local part leads nowhere, whatever it is', () => {
    const near = fc.string({
      unit: fc.constantFrom(...Array.from('SRSsr01=+-aZ27.@"\\ſ\u212a\u017f')),
      maxLength: 60,
    })
    const nearer = fc.tuple(near, near).map(([one, other]) => `SRS0=${one}=aa=example.com=${other}`)
    const check = fc.string({
      unit: fc.constantFrom(...Array.from('az27ſK\u212a')),
      minLength: 12,
      maxLength: 12,
    })
    const nearest = fc.tuple(check, near).map(([one, other]) => `SRS0=${one}=aa=example.com=${other}`)
    fc.assert(
      fc.property(fc.oneof(near, nearer, nearest, fc.string({ unit: 'binary' })), (local) => {
        assert.match(decodeSrs(local, [OLD, KEY], NOW), /^(?:unknown|forged)$/)
      }),
      { numRuns: 3000 },
    )
  })

  test('is carried in one that stays within its domain', () => {
    fc.assert(
      fc.property(address, (sender) => {
        const ours = encodeSrs(sender, { domain: OURS, key: KEY, now: NOW })
        if (ours === 'unfit') return
        assert.equal(domainOf(ours), OURS)
        assert.match(localPartOf(ours), /^"?SRS[01]=/)
      }),
    )
  })
})
