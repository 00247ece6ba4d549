import { flushCompileCache } from 'node:module'
import { ConfigError, readConfig } from '#config/config.ts'
import { banner } from '#development/banner.ts'
import { removeDevJson, writeDevJson } from '#development/dev-json-file.ts'
import { ZoneUnusable } from '#development/first-start.ts'
import { checkWorkerProjects, WorkerProjectUnusable } from '#development/worker-projects.ts'
import { CertificateUnusable } from '#net/certificate-files.ts'
import { PortUnavailable } from '#net/listen-loopback.ts'
import { openLog } from '#observe/log.ts'
import { OperatorTokenUnusable } from '#registry/accounts/operator-token.ts'
import { SmarthostUnusable } from '#registry/domains/installation-smarthost.ts'
import { DatabaseTooNew } from '#store/migrate.ts'
import { StoreUnavailable } from '#store/open-store.ts'
import { DataFolderInUse } from '#store/owner-lock.ts'
import { MasterKeyUnusable } from '#vault/master-key.ts'
import { SealBroken } from '#vault/vault.ts'
import { openDoors } from './main/doors.ts'
import { openKept } from './main/kept.ts'
import { openNotifying } from './main/notifying.ts'
import { openPolicies } from './main/policies.ts'
import { openPromised } from './main/promised.ts'
import { openReceiving } from './main/receiving.ts'
import { openRegistries } from './main/registries.ts'
import { openSending } from './main/sending.ts'
import { openWorkersAtWork } from './main/workers.ts'
import { openWorkersDevelopment } from './main/workers-development.ts'
import { openWorkersStorage } from './main/workers-storage.ts'

/** The development instance, as a list: what there is, in the order in which it opens; it closes in reverse. */
async function main(): Promise<void> {
  const config = readConfig(process.env, (sentence) => process.stderr.write(`posthorn: ${sentence}\n`))
  await checkWorkerProjects(config.WORKER)
  await using opened = new AsyncDisposableStack()
  const kept = await openKept(config, openLog(config.LOG_LEVEL), opened)
  const registries = await openRegistries(kept, opened)
  const promised = await openPromised(kept, registries, opened)
  const receiving = await openReceiving(kept, registries, promised, opened)
  const sending = openSending(kept, registries, promised, receiving, opened)
  const policies = await openPolicies(kept, registries, opened)
  const workersStorage = await openWorkersStorage(kept, opened)
  const notify = await openNotifying(kept, registries, workersStorage, opened)
  const workersDevelopment = openWorkersDevelopment(kept, registries, workersStorage)
  const workersAtWork = await openWorkersAtWork(
    kept,
    { registries, receiving, sending, storage: workersStorage, development: workersDevelopment },
    opened,
  )
  const { dns, submission, http, workers } = await openDoors(
    {
      ...{ kept, registries, promised, receiving, sending, policies },
      ...{ workersStorage, notify, workersAtWork, workersDevelopment },
    },
    opened,
  )
  policies.begin()

  const base = `http://localhost:${http.port}`
  const projects = await workersDevelopment?.open(opened)
  const { accountId, zoneId, zone, apiToken, admin } = registries.development
  const dev = {
    pid: process.pid,
    api: `${base}/client/v4`,
    dashboard: base,
    inbox: `${base}/api/v1`,
    account_id: accountId,
    zone_id: zoneId,
    zone,
    api_token: apiToken,
    admin,
    submission: { host: 'localhost', port: submission.port, username: 'api_token' },
    mx: { host: '127.0.0.1', port: receiving.mx.port },
    dns: { host: '127.0.0.1', port: dns.port },
    policies: { host: '127.0.0.1', port: policies.door.port },
    workers: {
      host: `${await registries.workers.subdomain(accountId)}.${config.WORKERS_HOST}`,
      port: workers.port,
    },
    ca: registries.ca.certificatePath,
  }
  await writeDevJson(config.DATA, dev)
  opened.defer(() => removeDevJson(config.DATA))
  process.stdout.write(banner(dev, { data: config.DATA }))
  await projects?.begin({ workers: `http://localhost:${workers.port}` })
  // Now, since not every process ends in order.
  flushCompileCache()
  await asked()
}

/** Until somebody asks us to end: a signal, or the end of the launcher that started us. A Ctrl-C reaches the whole
 *  process group, and the launcher passes it on as well: every further signal is the same wish. */
function asked(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve())
    process.once('disconnect', () => resolve())
  })
}

/** What the person who starts the service can mend: told in a sentence, without a stack. */
const EXPECTED = [
  ConfigError,
  SmarthostUnusable,
  CertificateUnusable,
  PortUnavailable,
  DataFolderInUse,
  DatabaseTooNew,
  StoreUnavailable,
  MasterKeyUnusable,
  OperatorTokenUnusable,
  SealBroken,
  ZoneUnusable,
  WorkerProjectUnusable,
]

try {
  await main()
  process.exit(0)
} catch (error) {
  const expected = EXPECTED.some((kind) => error instanceof kind)
  process.stderr.write(
    `posthorn: ${error instanceof Error ? (expected ? error.message : error.stack) : String(error)}\n`,
  )
  process.exit(expected ? 78 : 70)
}
