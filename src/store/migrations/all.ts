import type { Migration } from '../migrate.ts'
import { foundation } from './0001-foundation.ts'
import { userTokens } from './0002-user-tokens.ts'
import { delivery } from './0003-delivery.ts'
import { suppressionScopes } from './0004-suppression-scopes.ts'

/** Every migration in its order. A released one never changes; what it should have done is a new one. */
export const migrations: readonly Migration[] = [
  { version: 1, name: 'foundation', sql: foundation },
  { version: 2, name: 'user-tokens', sql: userTokens },
  { version: 3, name: 'delivery', sql: delivery },
  { version: 4, name: 'suppression-scopes', sql: suppressionScopes },
]
