import type { Migration } from '../migrate.ts'
import { foundation } from './0001-foundation.ts'
import { userTokens } from './0002-user-tokens.ts'
import { delivery } from './0003-delivery.ts'
import { suppressionScopes } from './0004-suppression-scopes.ts'
import { controlPlane } from './0005-control-plane.ts'
import { zones } from './0006-zones.ts'
import { routing } from './0007-routing.ts'
import { onboarding } from './0008-onboarding.ts'
import { mtaSts } from './0009-mta-sts.ts'
import { limits } from './0010-limits.ts'
import { forwards } from './0011-forwards.ts'
import { workers } from './0012-workers.ts'
import { workersStorage } from './0013-workers-storage.ts'
import { cronRuns } from './0014-cron-runs.ts'
import { workerStartup } from './0015-worker-startup.ts'
import { history } from './0016-history.ts'
import { notify } from './0017-notify.ts'
import { reputation } from './0018-reputation.ts'
import { signIn } from './0019-sign-in.ts'
import { notifyBound } from './0020-notify-bound.ts'
import { historyHeaderIds } from './0021-history-header-ids.ts'
import { historyLabelIndex } from './0022-history-label-index.ts'
import { passwordReset } from './0023-password-reset.ts'

/** Every migration in its order. A released one never changes; what it should have done is a new one. */
export const migrations: readonly Migration[] = [
  { version: 1, name: 'foundation', sql: foundation },
  { version: 2, name: 'user-tokens', sql: userTokens },
  { version: 3, name: 'delivery', sql: delivery },
  { version: 4, name: 'suppression-scopes', sql: suppressionScopes },
  { version: 5, name: 'control-plane', sql: controlPlane },
  { version: 6, name: 'zones', sql: zones },
  { version: 7, name: 'routing', sql: routing },
  { version: 8, name: 'onboarding', sql: onboarding },
  { version: 9, name: 'mta-sts', sql: mtaSts },
  { version: 10, name: 'limits', sql: limits },
  { version: 11, name: 'forwards', sql: forwards },
  { version: 12, name: 'workers', sql: workers },
  { version: 13, name: 'workers-storage', sql: workersStorage },
  { version: 14, name: 'cron-runs', sql: cronRuns },
  { version: 15, name: 'worker-startup', sql: workerStartup },
  { version: 16, name: 'history', sql: history },
  { version: 17, name: 'notify', sql: notify },
  { version: 18, name: 'reputation', sql: reputation },
  { version: 19, name: 'sign-in', sql: signIn },
  { version: 20, name: 'notify-bound', sql: notifyBound },
  { version: 21, name: 'history-header-ids', sql: historyHeaderIds },
  { version: 22, name: 'history-label-index', sql: historyLabelIndex },
  { version: 23, name: 'password-reset', sql: passwordReset },
]
