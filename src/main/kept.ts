import { join } from 'node:path'
import { openHistory } from '#analytics/history.ts'
import { openBodies } from '#bodies/bodies.ts'
import type { Config } from '#config/config.ts'
import { removeDevJson } from '#development/dev-json-file.ts'
import { developmentAccount } from '#development/first-start.ts'
import { serviceNames } from '#model/service.ts'
import { addressScope } from '#net/private-address.ts'
import type { Log } from '#observe/log.ts'
import { openMetrics } from '#observe/metrics.ts'
import { openAccounts } from '#registry/accounts/accounts.ts'
import { openIncarnation } from '#store/incarnation.ts'
import { openStore } from '#store/open-store.ts'
import { ensureMasterKey, readMasterKey } from '#vault/master-key.ts'
import { openVault } from '#vault/vault.ts'

/** What must survive, and what everything else is told of: settings, names, clock. */
export async function openKept(config: Config, log: Log, opened: AsyncDisposableStack) {
  const metrics = openMetrics()
  const store = await openStore({
    ...{ directory: config.DATA, url: config.DATABASE_URL, log },
    onCommit(ms, sets) {
      metrics.commitSeconds({}, ms / 1000)
      metrics.commitSets({}, sets)
    },
  })
  opened.defer(() => store.close())
  const history = await openHistory({
    ...{ store, directory: config.DATA, url: config.DATABASE_URL, log },
    ...{ days: config.HISTORY_DAYS, now: Date.now },
  })
  opened.defer(() => history.close())
  await removeDevJson(config.DATA)
  const incarnation = await openIncarnation(store)
  opened.defer(() => incarnation.close())
  const accounts = openAccounts({ store, clock: Date.now })
  await accounts.ensureServiceAccount()
  const keyFile = config.MASTER_KEY_FILE ?? join(config.DATA, 'master.key')
  // Only a first start makes a key: what an earlier one sealed opens with the old key alone.
  const first = config.MASTER_KEY_FILE === undefined && (await developmentAccount(accounts)) === undefined
  const vault = openVault(await (first ? ensureMasterKey(keyFile) : readMasterKey(keyFile)))
  return {
    config,
    log,
    metrics,
    store,
    history,
    incarnation,
    bodies: openBodies({ store, directory: config.DATA }),
    accounts,
    vault,
    service: serviceNames(config.SERVICE_DOMAIN),
    returnPathKey: { version: 1, key: vault.macKey('return-path', 1) },
    feedbackKey: { version: 1, key: vault.macKey('cfbl-feedback-id', 1) },
    /** Nothing leaves the machine, whatever DNS, a zone hosted here or a customer's settings say. */
    mayDial: (address: string) => addressScope(address) === 'loopback',
    now: Date.now,
    random: Math.random,
  }
}

export type Kept = Awaited<ReturnType<typeof openKept>>
