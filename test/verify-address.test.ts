import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { PERMISSIONS } from '#model/permission.ts'
import { checkedFetch } from '#test/checked-fetch.ts'
import { type Instance, startInstance } from '#test/instance.ts'
import { addUserToken } from '#test/second-account.ts'

let instance: Instance

before(async () => {
  instance = await startInstance()
})
after(async () => instance[Symbol.asyncDispose]())

interface Address {
  readonly id: string
  readonly email: string
  readonly verified: string | null
}

async function api(
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; result: Address }> {
  const { dev } = instance
  const response = await checkedFetch(`${dev.api}/accounts/${dev.account_id}${path}`, {
    method,
    headers: { authorization: `Bearer ${dev.api_token}` },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  // The test states the shape that the API documents.
  const { result } = (await response.json()) as { result: Address }
  return { status: response.status, result }
}

const ADDRESSES = '/email/routing/addresses'

async function add(email: string): Promise<Address> {
  const { status, result } = await api('POST', ADDRESSES, { email })
  assert.equal(status, 200)
  return result
}

const read = async (id: string) => (await api('GET', `${ADDRESSES}/${id}`)).result

/** The links in the mails to an address, once there are `count`. */
async function links(email: string, count = 1): Promise<string[]> {
  const mails = await instance.inbox(`to:${email}`, count)
  const raw = await Promise.all(mails.map(({ ID }) => instance.raw(ID)))
  return raw.map((text) => {
    const link = /^ {2}(http:\S+)\r$/m.exec(text)?.[1]
    assert.ok(link, text)
    return link
  })
}

test('the mail has a link, whose page verifies when its button is pressed, and not before', async () => {
  const { id } = await add('me@dest.example')
  const [mail] = await instance.inbox('to:me@dest.example')
  assert.ok(mail)
  assert.deepEqual(
    [mail.Subject, mail.From.Address],
    ['Verify your email address', 'verify@email.posthorn.test'],
  )
  assert.equal(await instance.returnPath(mail.ID), '')
  const [link = ''] = await links('me@dest.example')
  assert.ok(link.startsWith(`${instance.dev.dashboard}/verify-address/`))

  for (const method of ['GET', 'HEAD', 'GET']) {
    const page = await fetch(link, { method })
    assert.equal(page.status, 200)
    const csp = page.headers.get('content-security-policy') ?? ''
    assert.match(
      csp,
      /^default-src 'none'; style-src 'sha256-[\w+/=]+'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'$/,
    )
    assert.equal(page.headers.get('cache-control'), 'no-store')
    assert.equal(page.headers.get('referrer-policy'), 'same-origin')
    const html = await page.text()
    assert.doesNotMatch(html, /<script|src=|href=|https?:/i)
    if (method === 'GET')
      assert.match(html, /<form method="post"><button type="submit">Verify email address</)
  }
  assert.equal((await read(id)).verified, null, 'reading the page verifies nothing')

  const foreign = await fetch(link, { method: 'POST', headers: { 'sec-fetch-site': 'cross-site' } })
  assert.equal(foreign.status, 403)
  assert.equal((await read(id)).verified, null)

  const pressed = await fetch(link, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'sec-fetch-site': 'same-origin',
      origin: instance.dev.dashboard,
    },
    body: '',
  })
  assert.equal(pressed.status, 200)
  assert.match(await pressed.text(), /Your email address is verified/)
  const { verified } = await read(id)
  assert.ok(verified)
  for (const method of ['GET', 'POST']) {
    const again = await fetch(link, { method })
    assert.equal(again.status, 200)
    assert.match(await again.text(), /is verified/)
  }
  assert.equal((await read(id)).verified, verified)

  const sent = await instance.send({
    ...{ from: 'app@yourdomain.com', to: 'me@dest.example', subject: 'to a verified one', text: 'x' },
  })
  assert.equal(sent.status, 200)
})

test('posting again sends another link; each works, until the address is another', async () => {
  const first = await add('again@dest.example')
  assert.deepEqual(await add('again@dest.example'), first)
  const [one = '', two = ''] = await links('again@dest.example', 2)
  assert.equal((await fetch(two, { method: 'POST' })).status, 200)
  assert.ok((await read(first.id)).verified)
  assert.equal((await add('AGAIN@dest.example')).id, first.id)

  await api('PATCH', `${ADDRESSES}/${first.id}`, { status: 'unverified' })
  for (const link of [one, two]) assert.equal((await fetch(link, { method: 'POST' })).status, 404)
  assert.equal((await read(first.id)).verified, null, 'what was taken back stays so')

  await api('DELETE', `${ADDRESSES}/${first.id}`)
  const second = await add('again@dest.example')
  assert.notEqual(second.id, first.id)
  for (const link of [one, two]) assert.equal((await fetch(link, { method: 'POST' })).status, 404)
  const all = await links('again@dest.example', 3)
  const fresh = all.find((link) => link !== one && link !== two) ?? ''
  assert.equal((await fetch(fresh, { method: 'POST' })).status, 200)
  assert.ok((await read(second.id)).verified)
})

test('whatever is no link of ours has a page that says so, and nothing of what is there', async () => {
  await add('wrong@dest.example')
  const [link = ''] = await links('wrong@dest.example')
  const token = link.slice(link.lastIndexOf('/') + 1)
  const base = link.slice(0, -token.length)
  const forged = `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`
  for (const wrong of [
    forged,
    token.slice(1),
    `${token}A`,
    'x',
    '%00',
    encodeURIComponent('../../x'),
    'a'.repeat(300),
  ]) {
    for (const method of ['GET', 'POST']) {
      const page = await fetch(base + wrong, { method })
      assert.equal(page.status, 404, wrong)
      assert.doesNotMatch(await page.text(), /wrong@dest\.example/)
    }
  }
})

test('the account that asks cannot read the link, nor have it brought to a server of its own', async () => {
  const account = '/email/sending/smarthost'
  const smarthost = { host: 'relay.dest.example', port: 25, tls: 'none' }
  assert.equal((await api('PUT', account, smarthost)).status, 200)
  try {
    const { body } = await instance.send({
      ...{ from: 'app@yourdomain.com', to: 'other@dest.example', subject: 'by smarthost', text: 'x' },
    })
    assert.deepEqual(body.result?.queued, ['other@dest.example'], 'the smarthost is out of reach')
    await add('victim@dest.example')
    const [mail] = await instance.inbox('to:victim@dest.example')
    assert.ok(mail)
    const message = `/email/sending/messages/${encodeURIComponent(`<${mail.MessageID}>`)}`
    assert.equal((await api('GET', `${message}/deliveries`)).status, 200, 'it is there')
    assert.equal((await api('GET', message)).status, 404)
  } finally {
    await api('DELETE', account)
  }
})

test('nobody is buried in verification mails', async () => {
  for (let i = 0; i < 10; i++) await add('often@dest.example')
  const refused = await api('POST', ADDRESSES, { email: 'often@dest.example' })
  assert.equal(refused.status, 429)
  assert.equal((await instance.inbox('to:often@dest.example', 10)).length, 10)
})

test('no member verifies an address without its mail, whatever its token may do', async () => {
  const { dev, directory } = instance
  const { id } = await add('someone@dest.example')
  const member = addUserToken(directory, [dev.account_id], { permissions: PERMISSIONS, role: 'member' })
  const edit = (status: string) =>
    checkedFetch(`${dev.api}/accounts/${dev.account_id}${ADDRESSES}/${id}`, {
      method: 'PATCH',
      headers: { authorization: `Bearer ${member}` },
      body: JSON.stringify({ status }),
    })
  const refused = await edit('verified')
  assert.equal(refused.status, 403)
  assert.match(await refused.text(), /Only an administrator of the account may verify an address/)
  assert.equal((await read(id)).verified, null)
  assert.equal((await edit('unverified')).status, 200)
})
