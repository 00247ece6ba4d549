import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type InvitedMemberBody, type MemberBody, ROLE_IDS, type RoleBody } from '#contract/members.ts'
import type { OperatorUser } from '#contract/operator-users.ts'
import type { InvitationBody, SessionBody } from '#contract/session.ts'
import { acceptedMember } from '#test/accepted-member.ts'
import { onEachEngine } from '#test/each-engine.ts'
import { developmentBrowser, openBrowser } from '#test/http-browser.ts'
import { startInstance } from '#test/instance.ts'
import { mailedLink, mailedLinks } from '#test/mailed-links.ts'
import { askOperator } from '#test/operator.ts'

/** Who acts in an account: invited by mail, with a role, and taken out again. */
onEachEngine((instance) => {
  const members = () => `/client/v4/accounts/${instance().dev.account_id}/members`
  const invite = async (email: string, role: keyof typeof ROLE_IDS) => {
    const admin = await developmentBrowser(instance())
    const body = { email, roles: [ROLE_IDS[role]] }
    const answer = await admin.ask<InvitedMemberBody>('POST', members(), { body })
    assert.equal(answer.status, 200, answer.text)
    return answer.result
  }
  const accepted = (email: string, role: keyof typeof ROLE_IDS) => acceptedMember(instance(), email, role)

  test('an invitation comes by mail, and its link makes a member who is signed in', async () => {
    const invited = await invite('new@example.com', 'member')
    assert.deepEqual(
      [invited.status, invited.user.id, invited.user.email, invited.roles.map(({ name }) => name)],
      ['pending', null, 'new@example.com', ['Member']],
    )
    // Who invites does not see the link, and so cannot accept for an address that is somebody else's.
    assert.equal(invited.invitation_url, null)
    const [mail] = await instance().inbox('to:new@example.com')
    const raw = await instance().raw(mail?.ID ?? '')
    assert.match(raw, /^From: Accounts <accounts@email\.posthorn\.test>\r?$/m)
    assert.match(raw, /^Auto-Submitted: auto-generated\r?$/m)
    assert.equal(await instance().returnPath(mail?.ID ?? ''), '')
    assert.match(raw.split('\r\n\r\n')[1] ?? '', /^Somebody/)
    const link = await mailedLink(instance(), 'new@example.com')
    assert.equal(link.origin, instance().dev.dashboard)

    const browser = openBrowser(instance())
    const path = `/session/v1${link.pathname}`
    const shown = await browser.ask<InvitationBody>('GET', path)
    assert.deepEqual(
      [shown.result.email, shown.result.account.name, shown.result.role, shown.result.existing_user],
      ['new@example.com', 'Development', 'member', false],
    )
    const short = await browser.ask('POST', path, { body: { password: 'short' } })
    assert.deepEqual([short.status, short.error.pointer], [400, '/password'])
    const evil = await browser.ask('POST', path, {
      body: { password: 'a good password' },
      headers: { origin: 'https://evil.example' },
    })
    assert.equal(evil.status, 403)
    const done = await browser.ask<SessionBody>('POST', path, { body: { password: 'a good password' } })
    assert.equal(done.status, 200, done.text)
    assert.deepEqual(
      done.result.accounts.map(({ id, role }) => [id, role]),
      [[instance().dev.account_id, 'member']],
    )
    assert.equal((await browser.ask('GET', path)).status, 404)
    assert.equal((await browser.ask('POST', path, { body: { password: 'a good password' } })).status, 404)
    assert.equal((await openBrowser(instance()).signIn('New@example.com', 'a good password')).status, 200)
    const admin = await developmentBrowser(instance())
    const list = await admin.ask<MemberBody[]>('GET', `${members()}?order=user.email`)
    assert.deepEqual(
      list.result.map(({ user, status }) => [user.email, status]),
      [
        ['admin@yourdomain.com', 'accepted'],
        ['new@example.com', 'accepted'],
      ],
    )
    const again = await admin.ask('POST', members(), {
      body: { email: 'NEW@example.com', roles: [ROLE_IDS.member] },
    })
    assert.deepEqual([again.status, again.error.pointer], [400, '/email'])
  })

  test('an invitation can be changed, sent again and taken back', async () => {
    const admin = await developmentBrowser(instance())
    await invite('twice@example.com', 'member')
    const before = await mailedLink(instance(), 'twice@example.com')
    const second = await invite('twice@example.com', 'member')
    const links = await mailedLinks(instance(), 'twice@example.com', 2)
    const link = links.find(({ href }) => href !== before.href) ?? assert.fail('the same link again')
    const look = (url: URL) =>
      openBrowser(instance()).ask<InvitationBody>('GET', `/session/v1${url.pathname}`)
    assert.equal((await look(before)).status, 404)
    const path = `${members()}/${second.id}`
    const body = { ...second, roles: [{ id: ROLE_IDS.admin }] }
    const changed = await admin.ask<MemberBody>('PUT', path, { body })
    assert.deepEqual(
      changed.result?.roles.map(({ name }) => name),
      ['Administrator'],
      changed.text,
    )
    assert.equal((await look(link)).result.role, 'admin')
    const nobody = await admin.ask('PUT', path, { body: { roles: [{ id: 'f'.repeat(32) }] } })
    assert.deepEqual([nobody.status, nobody.error.pointer], [400, '/roles/0'])
    assert.equal((await admin.ask('DELETE', path)).status, 200)
    assert.equal((await look(link)).status, 404)
    assert.equal((await admin.ask('GET', path)).status, 404)
  })

  test('an address that is invited many times at once has one invitation, and one link that works', async () => {
    await Promise.all(Array.from({ length: 6 }, () => invite('same@example.com', 'member')))
    const looked = (await mailedLinks(instance(), 'same@example.com', 6)).map(({ pathname }) =>
      openBrowser(instance()).ask('GET', `/session/v1${pathname}`),
    )
    const statuses = (await Promise.all(looked)).map(({ status }) => status)
    assert.deepEqual(
      statuses.toSorted((a, b) => a - b),
      [200, 404, 404, 404, 404, 404],
    )
  })

  test('what is no token of an invitation is none, however long it is', async () => {
    for (const token of ['x', 'x'.repeat(201), 'x'.repeat(1500), '%00', '..'])
      for (const method of ['GET', 'POST']) {
        const body = method === 'POST' && { body: { password: 'a good password' } }
        const path = `/session/v1/invitations/${token}`
        assert.equal((await openBrowser(instance()).ask(method, path, { ...body })).status, 404, path)
      }
    assert.doesNotMatch(instance().log(), /ZodError/)
  })

  test('roles: what each may do, route by route', async () => {
    const member = await accepted('matrix-member@example.com', 'member')
    const admin = await accepted('matrix-admin@example.com', 'admin')
    const { account_id, zone_id } = instance().dev
    const account = `/client/v4/accounts/${account_id}`
    const domain = { type: 'TXT', name: 'matrix', content: 'x' }
    const matrix: readonly [
      method: string,
      path: string,
      body: unknown,
      asMember: number,
      asAdmin: number,
    ][] = [
      ['GET', '/client/v4/accounts', undefined, 200, 200],
      ['GET', '/client/v4/memberships', undefined, 200, 200],
      ['GET', '/client/v4/zones', undefined, 200, 200],
      ['POST', `/client/v4/zones/${zone_id}/dns_records`, domain, 200, 400],
      ['GET', `/client/v4/zones/${zone_id}/email/routing/rules`, undefined, 200, 200],
      ['GET', `${account}/email/sending/messages`, undefined, 200, 200],
      ['POST', `${account}/email/sending/suppressions`, { email: 'roles@example.com' }, 200, 200],
      ['GET', `${account}/workers/scripts`, undefined, 200, 200],
      ['GET', `${account}/email/webhooks`, undefined, 200, 200],
      ['GET', account, undefined, 403, 200],
      ['PUT', account, { name: 'Development' }, 403, 200],
      ['GET', `${account}/audit_logs`, undefined, 403, 200],
      ['GET', `${account}/tokens`, undefined, 403, 200],
      ['GET', '/client/v4/user/tokens', undefined, 403, 200],
      ['PUT', '/client/v4/user/api_key', undefined, 403, 403],
      ['GET', members(), undefined, 403, 200],
      ['GET', `${account}/roles`, undefined, 403, 200],
      ['POST', members(), { email: 'x@example.com', roles: [ROLE_IDS.member] }, 403, 200],
      ['GET', '/operator/v1/queue', undefined, 403, 403],
      ['GET', `/client/v4/accounts/${'f'.repeat(32)}/tokens`, undefined, 404, 404],
    ]
    for (const [method, path, body, asMember, asAdmin] of matrix) {
      for (const [browser, status] of [
        [member, asMember],
        [admin, asAdmin],
      ] as const) {
        const answer = await browser.ask(method, path, { ...(body !== undefined && { body }) })
        assert.equal(answer.status, status, `${method} ${path}: ${answer.text}`)
      }
    }
    const roles = await admin.ask<RoleBody[]>('GET', `${account}/roles`)
    assert.deepEqual(
      roles.result.map(({ id, name, permissions }) => [id, name, permissions['account_settings']]),
      [
        [ROLE_IDS.admin, 'Administrator', { read: true, write: true }],
        [ROLE_IDS.member, 'Member', { read: false, write: false }],
      ],
    )
  })

  test('an administrator makes tokens by a session, and none that reaches further', async () => {
    const admin = await developmentBrowser(instance())
    const { account_id } = instance().dev
    const groups = await admin.ask<{ id: string; name: string }[]>(
      'GET',
      `/client/v4/accounts/${account_id}/tokens/permission_groups`,
    )
    const permission_groups = groups.result.filter(({ name }) => name === 'Email Sending Write')
    const token = (resource: string) => ({
      name: 'by session',
      policies: [{ effect: 'allow', permission_groups, resources: { [resource]: '*' } }],
    })
    const make = (path: string, resource: string) =>
      admin.ask<{ value: string }>('POST', `/client/v4${path}/tokens`, { body: token(resource) })
    const own = await make(`/accounts/${account_id}`, `com.cloudflare.api.account.${account_id}`)
    assert.equal(own.status, 200, own.text)
    const mail = { from: 'app@yourdomain.com', to: 'x@example.com', subject: 's', text: 't' }
    const sent = await instance().send(mail, { authorization: `Bearer ${own.result.value}` })
    assert.equal(sent.status, 200)
    assert.equal((await make('/user', `com.cloudflare.api.account.${account_id}`)).status, 200)
    assert.equal((await make('/user', 'com.cloudflare.api.account.*')).status, 403)
  })

  test('who is taken out or demoted may do no more from then on; the last administrator stays', async () => {
    const admin = await developmentBrowser(instance())
    const gone = await accepted('gone@example.com', 'admin')
    const list = await admin.ask<MemberBody[]>('GET', members())
    const one = (email: string) => list.result.find(({ user }) => user.email === email)?.id ?? ''
    assert.equal((await gone.ask('GET', members())).status, 200)
    const path = `${members()}/${one('gone@example.com')}`
    const demoted = await admin.ask('PUT', path, { body: { roles: [ROLE_IDS.member] } })
    assert.equal(demoted.status, 200, demoted.text)
    assert.equal((await gone.ask('GET', members())).status, 403)
    assert.equal((await gone.ask('DELETE', path)).status, 403)
    assert.equal((await admin.ask('DELETE', path)).status, 200)
    assert.equal((await gone.ask('GET', '/client/v4/zones')).status, 200)
    assert.deepEqual((await gone.ask('GET', '/client/v4/zones')).result, [])
    for (const { id, roles, status, user } of list.result) {
      const isOther = status === 'accepted' && roles[0]?.name === 'Administrator'
      if (isOther && user.email !== 'admin@yourdomain.com') await admin.ask('DELETE', `${members()}/${id}`)
    }
    const last = `${members()}/${one('admin@yourdomain.com')}`
    const left = [
      await admin.ask('DELETE', last),
      await admin.ask('PUT', last, { body: { roles: [ROLE_IDS.member] } }),
    ]
    assert.deepEqual(
      left.map(({ status, error }) => [status, error.code]),
      [
        [400, 1001],
        [400, 1001],
      ],
    )
    const path2 = `/client/v4/accounts/${instance().dev.account_id}/audit_logs?per_page=1000`
    const audit = await admin.ask<{ action: { type: string } }[]>('GET', path2)
    const actions = new Set(audit.result.map(({ action }) => action.type))
    for (const action of [
      'session.create',
      ...['member.invite', 'member.accept', 'member.update', 'member.delete'],
    ])
      assert.ok(actions.has(action), action)
  })

  test('the operator makes users: with a password that is given or made, and once more with another', async () => {
    const body = { email: 'operator@example.com', operator: true }
    const made = await askOperator<OperatorUser>(instance(), 'POST', '/users', { body })
    assert.equal(made.status, 200)
    assert.deepEqual([made.result.created, made.result.operator], [true, true])
    const browser = openBrowser(instance())
    const signed = await browser.signIn(body.email, made.result.password ?? '')
    assert.equal(signed.status, 200, signed.text)
    assert.equal(signed.result.accounts.length, 0)
    assert.equal((await browser.ask('GET', '/operator/v1/queue')).status, 200)
    const pause = { body: { domain: 'paused.example' } }
    const forged = await browser.ask('POST', '/operator/v1/pauses', {
      ...pause,
      headers: { 'x-csrf-token': undefined },
    })
    assert.deepEqual([forged.status, forged.error.code], [403, 10102])
    const reset = { ...body, operator: false, password: 'another password' }
    const again = await askOperator<OperatorUser>(instance(), 'POST', '/users', { body: reset })
    assert.deepEqual([again.result.created, again.result.password], [false, null])
    assert.equal((await browser.ask('GET', '/operator/v1/queue')).status, 401)
    assert.equal((await browser.signIn(body.email, 'another password')).status, 200)
    assert.equal((await browser.ask('GET', '/operator/v1/queue')).status, 403)
    for (const bad of [
      { email: 'no address' },
      { ...body, password: 'short' },
      { ...body, account_id: 'f'.repeat(32) },
    ])
      assert.equal((await askOperator(instance(), 'POST', '/users', { body: bad })).status, 400)
  })

  test('the operator makes an administrator of a member, too, and audit logs tell what the operator did', async () => {
    const { account_id } = instance().dev
    const email = 'promoted@example.com'
    const member = await accepted(email, 'member')
    assert.equal((await member.ask('GET', members())).status, 403)
    const body = { email, account_id, password: 'set by the operator' }
    assert.equal((await askOperator(instance(), 'POST', '/users', { body })).status, 200)
    const again = openBrowser(instance())
    assert.equal((await again.signIn(email, body.password)).result.accounts[0]?.role, 'admin')
    assert.equal((await again.ask('GET', members())).status, 200)
    const made = { email: 'made@example.com', account_id }
    for (let count = 0; count < 2; count++)
      assert.equal((await askOperator(instance(), 'POST', '/users', { body: made })).status, 200)
    const path = `/client/v4/accounts/${account_id}/audit_logs?per_page=1000`
    const audit = await again.ask<
      { action: { type: string }; actor: { type: string }; newValueJson: { email?: string } | null }[]
    >('GET', path)
    const told = audit.result.filter(({ actor }) => actor.type === 'system')
    const of = (action: string) => told.filter(({ action: { type } }) => type === action)
    assert.deepEqual(
      of('member.create').map(({ newValueJson }) => newValueJson?.email),
      ['made@example.com'],
    )
    assert.deepEqual(
      of('member.update').map(({ newValueJson }) => newValueJson?.email),
      [email],
    )
    assert.equal(of('password.update').length, 1)
  })

  test('a token that an administrator made may do no more than its user, who is one no longer', async () => {
    const admin = await developmentBrowser(instance())
    const { account_id } = instance().dev
    const account = `/client/v4/accounts/${account_id}`
    const email = 'demoted@example.com'
    const demoted = await accepted(email, 'admin')
    const groups = await demoted.ask<{ id: string; name: string }[]>(
      ...(['GET', '/client/v4/user/tokens/permission_groups?name=Account%20Settings%20Write'] as const),
    )
    const made = await demoted.ask<{ value: string }>('POST', '/client/v4/user/tokens', {
      body: {
        name: 'kept',
        policies: [
          {
            effect: 'allow',
            permission_groups: groups.result.map(({ id }) => ({ id })),
            resources: { [`com.cloudflare.api.account.${account_id}`]: '*' },
          },
        ],
      },
    })
    assert.equal(made.status, 200, made.text)
    const headers = { authorization: `Bearer ${made.result.value}` }
    const statuses = async () => {
      const browser = openBrowser(instance())
      const asked: number[] = []
      for (const path of ['', '/tokens', '/audit_logs', '/members'])
        asked.push((await browser.ask('GET', account + path, { headers })).status)
      const { name } = (await admin.ask<{ name: string }>('GET', account)).result
      asked.push((await browser.ask('PUT', account, { headers, body: { name } })).status)
      return asked
    }
    assert.deepEqual(await statuses(), [200, 200, 200, 200, 200])
    const list = await admin.ask<MemberBody[]>('GET', `${members()}?per_page=50`)
    const { id } = list.result.find(({ user }) => user.email === email) ?? assert.fail('no such member')
    const body = { roles: [ROLE_IDS.member] }
    assert.equal((await admin.ask('PUT', `${members()}/${id}`, { body })).status, 200)
    for (const status of await statuses()) assert.ok(status === 403 || status === 404, String(status))
  })
})

test('reached by others, a development instance mails no invitation that they could read: it shows the link', async () => {
  await using instance = await startInstance({ POSTHORN_PUBLIC_URL: 'https://mail.example.com' })
  const { dev } = instance
  const browser = openBrowser(instance)
  assert.equal((await browser.signIn(dev.admin.email, dev.admin.password)).status, 200)
  const body = { email: 'handed@example.com', roles: [ROLE_IDS.member] }
  const path = `/client/v4/accounts/${dev.account_id}/members`
  const { result } = await browser.ask<InvitedMemberBody>('POST', path, { body })
  const url = new URL(result.invitation_url ?? assert.fail('no link'))
  assert.equal(url.origin, 'https://mail.example.com')
  const shown = await openBrowser(instance).ask<InvitationBody>('GET', `/session/v1${url.pathname}`)
  assert.equal(shown.result.email, 'handed@example.com')
  const list = await browser.ask('GET', `/client/v4/accounts/${dev.account_id}/email/sending/messages`)
  assert.doesNotMatch(list.text, /invited to an account/)
})
