import type { z } from 'zod'
import type { accountTokens, TokenBody } from '#contract/tokens.ts'
import type { Page } from './page.ts'
import { fromNow, plain, textTable } from './text-table.ts'
import { wrapText } from './wrap-text.ts'

/** How many permissions a row has room for. */
const NAMED = 2

export function tokensText(tokens: readonly TokenBody[], page: Page): string {
  if (tokens.length === 0) return 'No token. "posthorn tokens create" makes one.'
  return textTable(
    ['ID', 'NAME', 'STATUS', 'EXPIRES', 'WHERE', 'MAY'],
    tokens.map((token) => {
      const may = permissionsOf(token)
      const more = may.length > NAMED ? `, and ${may.length - NAMED} more` : ''
      return [
        token.id,
        token.name,
        token.status,
        token.expires_on === undefined ? 'never' : fromNow(token.expires_on, page.now),
        placesOf(token),
        `${may.slice(0, NAMED).join(', ')}${more}`,
      ]
    }),
    page.width,
  )
}

export function permissionsText(
  groups: z.output<typeof accountTokens.permissionGroups.result>,
  page: Page,
): string {
  return textTable(
    ['PERMISSION', 'OVER'],
    groups.map(({ name, scopes }) => [name, scopes.map((scope) => SCOPES[scope] ?? scope).join(', ')]),
    page.width,
  )
}

const SCOPES: Readonly<Record<string, string>> = {
  'com.cloudflare.api.account': 'an account',
  'com.cloudflare.api.account.zone': 'a zone',
  'com.cloudflare.api.user': 'a user',
}

/** A token whose secret is seen now and never again. */
export function secretText(token: TokenBody & { readonly value: string }, page: Page): string {
  const { condition, not_before: notBefore, expires_on: expires } = token
  const { in: inside, not_in: outside } = condition?.request_ip ?? {}
  const lines = [
    `Token    ${token.name}`,
    `Id       ${token.id}`,
    ...permissionsOf(token).map((may, i) => `${i === 0 ? 'May     ' : '        '} ${may}`),
    `Where    ${placesOf(token)}`,
    ...(inside ? [`From     ${inside.join(', ')}`] : []),
    ...(outside ? [`Not from ${outside.join(', ')}`] : []),
    ...(notBefore === undefined ? [] : [`Begins   ${notBefore}`]),
    `Expires  ${expires ?? 'never'}`,
    `Secret   ${token.value}`,
  ]
  const note = wrapText('The secret is shown here and nowhere else: keep it now.', page.width)
  return `${lines.map(plain).join('\n')}\n\n${note}`
}

function permissionsOf({ policies }: TokenBody): string[] {
  const names = policies.flatMap(({ effect, permission_groups: groups }) =>
    groups.map(({ name }) => (effect === 'deny' ? `not ${name}` : name)),
  )
  // What writes reads as well.
  return [...new Set(names)].filter(
    (name) => !name.endsWith(' Read') || !names.includes(name.replace(/ Read$/, ' Write')),
  )
}

function placesOf({ policies }: TokenBody): string {
  const keys = policies.flatMap(({ resources }) =>
    Object.entries(resources).flatMap(([key, value]) =>
      typeof value === 'string' ? [key] : Object.keys(value),
    ),
  )
  const zones = new Set(keys.filter((key) => /\.zone\.[0-9a-f]/.test(key))).size
  const kinds = [
    ...(keys.some((key) => /\.account\.(?!zone)/.test(key)) ? ['account'] : []),
    ...(keys.some((key) => key.includes('.zone.*')) ? ['all zones'] : []),
    ...(zones === 0 ? [] : [zones === 1 ? '1 zone' : `${zones} zones`]),
    ...(keys.some((key) => key.includes('.user.')) ? ['user'] : []),
  ]
  return kinds.join(', ')
}
