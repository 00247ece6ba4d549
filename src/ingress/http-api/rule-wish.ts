import type { CatchAllBody, RuleBody } from '#contract/rules.ts'
import { type Address, localPartOf } from '#model/address.ts'
import { isAddress, parseAddress } from '#protocol/address.ts'
import type { CatchAllWish, RuleAction, RuleSource, RuleWish } from '#registry/routes/rule.ts'
import type { Fault } from './serve-operation.ts'

type Matchers = RuleBody['matchers']
type Actions = RuleBody['actions']

/** What the body of a rule says. */
export function readRule(body: RuleBody): RuleWish | Fault {
  const address = readLiteral(body.matchers)
  if (isFault(address)) return address
  const wish = readCommon(body)
  if (isFault(wish)) return wish
  return { ...wish, address, priority: body.priority }
}

export function readCatchAll(body: CatchAllBody): CatchAllWish | Fault {
  return readAll(body.matchers) ?? readCommon(body)
}

function readCommon(body: CatchAllBody): CatchAllWish | Fault {
  const action = readAction(body.actions)
  if (isFault(action)) return action
  const managed = readManaged(body)
  if (isFault(managed)) return managed
  return { action, managed, name: body.name, enabled: body.enabled }
}

/** The one address that a rule is for. */
export function readLiteral(matchers: Matchers, at = ''): Address | Fault {
  const [matcher, ...others] = matchers
  if (!matcher || others.length > 0) return unfit(`${at}/matchers`, 'A rule has exactly one matcher.')
  if (matcher.type === 'all') {
    return unfit(
      `${at}/matchers/0/type`,
      'A matcher of type "all" is for the catch-all: PUT …/email/routing/rules/catch_all.',
    )
  }
  const pointer = `${at}/matchers/0/value`
  if (matcher.value === undefined) return unfit(pointer, 'A literal matcher has an address as its value.')
  const address = parseAddress(matcher.value)
  if (!isAddress(address)) return unfit(pointer, address.detail)
  if (localPartOf(address) !== '*') return address
  return unfit(pointer, "'*' stands for nothing here: for all addresses of a domain, set its catch-all.")
}

/** Undefined for the one matcher that a catch-all has. */
export function readAll(matchers: Matchers, at = ''): Fault | undefined {
  const [matcher, ...others] = matchers
  if (matcher?.type === 'all' && others.length === 0) return undefined
  return unfit(`${at}/matchers`, 'A catch-all has exactly one matcher, of type "all".')
}

const WORKER_NAME = /^[\w-]{1,255}$/

export function readAction(actions: Actions, at = ''): RuleAction | Fault {
  const [action, ...others] = actions
  if (!action || others.length > 0) return unfit(`${at}/actions`, 'A rule has exactly one action.')
  const pointer = `${at}/actions/0/value`
  const [value, ...more] = action.value ?? []
  if (action.type === 'drop') {
    return value === undefined ? { type: 'drop' } : unfit(pointer, 'The action "drop" has no value.')
  }
  if (value === undefined || more.length > 0) {
    const what = action.type === 'forward' ? 'destination address' : 'name of a Worker'
    return unfit(pointer, `The action "${action.type}" has exactly one value, the ${what}.`)
  }
  if (action.type === 'worker') {
    return WORKER_NAME.test(value)
      ? { type: 'worker', name: value }
      : unfit(`${pointer}/0`, 'The name of a Worker has letters, digits, hyphens and underscores.')
  }
  const to = parseAddress(value)
  return isAddress(to) ? { type: 'forward', to } : unfit(`${pointer}/0`, to.detail)
}

function readManaged({ source = 'api', owner_worker_tag: tag }: CatchAllBody): RuleSource | Fault {
  if (source === 'api') return { source, ownerWorkerTag: null }
  return tag == null
    ? unfit('/owner_worker_tag', 'A rule that wrangler manages names the Worker that owns it.')
    : { source, ownerWorkerTag: tag }
}

export function isFault(read: object | string): read is Fault {
  return typeof read === 'object' && 'status' in read
}

function unfit(pointer: string, detail: string): Fault {
  return { status: 400, code: 1001, message: 'Request body is invalid', detail, pointer }
}
