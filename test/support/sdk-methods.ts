import assert from 'node:assert/strict'
import { test } from 'node:test'
import Cloudflare from 'cloudflare'
import { PERMISSIONS } from '#model/permission.ts'
import { type Instance, startInstance } from '#test/instance.ts'
import { addSecondAccount } from '#test/second-account.ts'
import { sdkClient } from './sdk-client.ts'

/** An instance, and the official SDK as four callers of it. */
export interface SdkWorld extends AsyncDisposable {
  readonly instance: Instance
  readonly account: { readonly account_id: string }
  readonly zone: { readonly zone_id: string }
  /** May do everything. */
  readonly client: Cloudflare
  /** Has a token that is none. */
  readonly nobody: Cloudflare
  /** May read the account's name alone. */
  readonly powerless: Cloudflare
  /** May do everything in another account. */
  readonly stranger: Cloudflare
}

export async function openSdkWorld(): Promise<SdkWorld> {
  const instance = await startInstance()
  const { account_id, zone_id, api_token, api } = instance.dev
  const speaking = (api_token: string) => sdkClient({ api, api_token })
  const client = speaking(api_token)
  const name = 'Account Settings Read'
  const groups = await client.accounts.tokens.permissionGroups.list({ account_id, name })
  const lesser = await client.accounts.tokens.create({
    ...{ account_id, name },
    policies: [
      {
        effect: 'allow',
        permission_groups: groups.result.map(({ id = '' }) => ({ id })),
        resources: { [`com.cloudflare.api.account.${account_id}`]: '*' },
      },
    ],
  })
  return {
    ...{ instance, account: { account_id }, zone: { zone_id }, client },
    nobody: speaking('x'.repeat(40)),
    powerless: speaking(lesser.value ?? ''),
    stranger: speaking(addSecondAccount(instance.directory, PERMISSIONS).token),
    [Symbol.asyncDispose]: () => instance[Symbol.asyncDispose](),
  }
}

/** A method of the SDK, with what it is to answer. */
export interface SdkMethod {
  readonly name: string
  readonly call: (as: Cloudflare) => Promise<unknown>
  /** Rejects where the result is another. */
  readonly works: (as: Cloudflare) => Promise<void>
  readonly wrong: readonly WrongCall[]
}

export interface WrongCall {
  readonly error: new (...args: never[]) => Error
  readonly code: number
  readonly call: () => Promise<unknown>
}

export function method<T>(
  name: string,
  call: (as: Cloudflare) => PromiseLike<T>,
  check: (result: T) => void,
  ...wrong: readonly WrongCall[]
): SdkMethod {
  return { name, call: async (as) => call(as), works: async (as) => check(await call(as)), wrong }
}

/** A request that is its sender's fault; of class BadRequestError unless said otherwise. */
export function wrong(
  code: number,
  call: () => PromiseLike<unknown>,
  error: WrongCall['error'] = Cloudflare.BadRequestError,
): WrongCall {
  return { error, code, call: async () => call() }
}

/** Fields that the compiler would not let through. */
export function misshapen(fields: object): object {
  return fields
}

/** The codes with which each of the four callers but the first is refused. */
export interface RefusalCodes {
  readonly nobody: number
  readonly powerless: number
  readonly stranger: number
}

/** A test for each method, in their order: who may not is refused by the error class of the SDK for it, so is what is
 *  wrong, and then it works. */
export function testMethods(world: () => SdkWorld, codes: RefusalCodes, methods: readonly SdkMethod[]): void {
  for (const { name, call, works, wrong: wrongCalls } of methods) {
    test(`client.${name}`, async () => {
      const { client, nobody, powerless, stranger } = world()
      const refusals: readonly WrongCall[] = [
        { error: Cloudflare.AuthenticationError, code: codes.nobody, call: () => call(nobody) },
        { error: Cloudflare.PermissionDeniedError, code: codes.powerless, call: () => call(powerless) },
        { error: Cloudflare.NotFoundError, code: codes.stranger, call: () => call(stranger) },
        ...wrongCalls,
      ]
      for (const refusal of refusals) await isRefused(refusal)
      await works(client)
    })
  }
}

async function isRefused({ error: expected, code, call }: WrongCall): Promise<void> {
  await assert.rejects(call(), (error: unknown) => {
    assert.ok(error instanceof Cloudflare.APIError, String(error))
    assert.equal(error.constructor, expected)
    assert.equal(error.errors[0]?.code, code)
    return true
  })
}

/** The result has exactly these fields, in this order; a pattern stands for what is never the same. */
export function has(result: unknown, expected: Readonly<Record<string, unknown>>): void {
  assert.ok(typeof result === 'object' && result !== null)
  assert.deepEqual(Object.keys(result), Object.keys(expected))
  for (const [name, value] of Object.entries(result)) {
    const wanted = expected[name]
    if (wanted instanceof RegExp) assert.match(String(value), wanted, name)
    else assert.deepEqual(value, wanted, name)
  }
}

/** The names of all methods of a resource of the official SDK and of those below it, such as `rules.catchAlls.get`, as
 *  its prototypes have them: a version that knows more of them is noticed. */
export function methodsOf(resource: object, path: string): string[] {
  const own: string[] = []
  for (
    let at: unknown = Object.getPrototypeOf(resource);
    isResourceClass(at);
    at = Object.getPrototypeOf(at)
  ) {
    for (const name of Object.getOwnPropertyNames(at))
      if (name !== 'constructor' && !name.startsWith('_')) own.push(`${path}.${name}`)
  }
  const below = Object.entries(resource).filter(([name]) => !name.startsWith('_'))
  return [
    ...own,
    ...below.flatMap(([name, value]: [string, unknown]) =>
      typeof value === 'object' && value !== null ? methodsOf(value, `${path}.${name}`) : [],
    ),
  ]
}

/** All resources derive from one class, which has no methods for users. */
function isResourceClass(prototype: unknown): prototype is object {
  if (typeof prototype !== 'object' || prototype === null || prototype === Object.prototype) return false
  return prototype.constructor.name !== 'APIResource'
}
