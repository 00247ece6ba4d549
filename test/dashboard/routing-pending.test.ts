import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { ZoneBody } from '#contract/zones.ts'
import { serviceNames } from '#model/service.ts'
import { systemResolver } from '#net/resolver.ts'
import { findProof } from '#registry/domains/ownership.ts'
import { type Dashboard, NO_BROWSER, openDashboard } from '#test/browser.ts'
import { customerDns } from '#test/customer-dns.ts'
import { type InstanceDatabase, openInstanceDatabase } from '#test/instance-database.ts'
import { api } from '#test/routing-instance.ts'

/** Zones that nobody has proven yet: a development instance has some only if somebody makes them so, and what their
 *  owner publishes is then looked for as the service itself looks. */
const NAME = 'waiting.provider.example'
const GIVEN_UP = 'given-up.example'
const skip = { skip: NO_BROWSER }
let dashboard: Dashboard
let database: InstanceDatabase

before(async () => {
  if (NO_BROWSER !== false) return
  dashboard = await openDashboard()
  database = await openInstanceDatabase(dashboard.instance, undefined)
})
after(async () => {
  await database?.[Symbol.asyncDispose]()
  await dashboard?.[Symbol.asyncDispose]()
})

const setPending = ({ id }: ZoneBody) =>
  database.run(`update zone set status = 'pending', activated_at = null where id = '${id}'`)

test('a pending zone is proven by what the page says, while somebody looks', skip, async () => {
  const { page, instance } = dashboard
  const { dev } = instance
  const provider = await api<ZoneBody>(instance, 'POST', '/zones', { name: 'provider.example' })
  const dns = customerDns(instance, provider.id)
  const zone = await api<ZoneBody>(instance, 'POST', '/zones', { name: NAME, type: 'partial', dns: 'manual' })
  await setPending(zone)
  const resolver = systemResolver({ servers: [`${dev.dns.host}:${dev.dns.port}`] })
  const look = () =>
    findProof(zone, {
      service: serviceNames('posthorn.test'),
      lookups: { txt: (name) => resolver.txt(name), delegation: async () => ({ kind: 'no-data' }) },
    })

  await dashboard.open(dashboard.ofAccount('/routing/domains'))
  const row = page.getByRole('row', { name: new RegExp(NAME) })
  await row.getByText('Pending proof').waitFor()
  await dashboard.examine('routing-domains-pending')
  await row.getByRole('link', { name: `Prove ownership of ${NAME}` }).click()

  const proof = page.getByRole('region', { name: `Prove that ${NAME} is yours` })
  const done = page.getByRole('button', { name: 'Done' })
  // What it will need is shown already, and cannot be had yet.
  const planned = page.getByRole('list', { name: 'Records to be added' })
  await planned.getByText('route1.mx.posthorn.test').waitFor()
  assert.equal(await done.isDisabled(), true)
  const enabled = await fetch(`${dev.api}/zones/${zone.id}/email/routing/dns`, {
    method: 'POST',
    headers: { authorization: `Bearer ${dev.api_token}` },
  })
  assert.equal(enabled.status, 403)

  const missed = await look()
  assert.ok(missed.kind === 'unproven')
  await database.run(
    `update zone set checked_at = ${Date.now()}, check_detail = '${missed.detail}' where id = '${zone.id}'`,
  )
  await proof.getByText(`there is no TXT record of _posthorn-challenge.${NAME}`).waitFor()
  await dashboard.examine('routing-zone-proof')

  const copy = async (button: string | RegExp) => {
    await proof.getByRole('button', { name: button }).click()
    return page.evaluate<string>('navigator.clipboard.readText()')
  }
  const name = await copy('Copy the name _posthorn-challenge')
  const content = await copy(/^Copy the value of TXT/)
  assert.equal(content, zone.verification.record.content)
  await dns.publish({ type: 'TXT', name: `${name}.${NAME}`, content })
  assert.deepEqual(await look(), { kind: 'proven', by: 'txt' })
  await database.run(
    `update zone set status = 'active', activated_at = created_at, check_detail = null where id = '${zone.id}'`,
  )
  // Without anybody loading the page anew.
  await proof.waitFor({ state: 'detached' })
  assert.equal(await done.isDisabled(), false)
  await done.click()
  await page.getByRole('heading', { level: 1, name: NAME }).waitFor()
  await page.getByText('Waiting for DNS').waitFor()
})

test('a pending zone that is given up is gone from the lists at once', skip, async () => {
  const { page, instance } = dashboard
  const zone = await api<ZoneBody>(instance, 'POST', '/zones', { name: GIVEN_UP, type: 'full' })
  await setPending(zone)
  await dashboard.open(dashboard.ofAccount(`/routing/domains/onboard?zone=${zone.id}`))
  const proof = page.getByRole('region', { name: `Prove that ${GIVEN_UP} is yours` })
  // Whoever delegates the whole zone proves it by that.
  for (const server of zone.name_servers) await proof.getByText(server).waitFor()
  await proof.getByRole('button', { name: 'Remove zone' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Remove zone' }).click()
  await proof.waitFor({ state: 'detached' })
  await page.getByRole('textbox', { name: 'Domain' }).waitFor()
  await page.getByRole('button', { name: 'provider.example' }).waitFor()
  assert.equal(await page.getByRole('button', { name: GIVEN_UP }).count(), 0)
  const left = await api<readonly ZoneBody[]>(instance, 'GET', '/zones')
  assert.deepEqual(
    left.map(({ name }) => name),
    ['provider.example', NAME, 'yourdomain.com'],
  )
})
