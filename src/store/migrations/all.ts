import type { Migration } from '../migrate.ts'
import { foundation } from './0001-foundation.ts'

/** Every migration in its order. A released one never changes; what it should have done is a new one. */
export const migrations: readonly Migration[] = [{ version: 1, name: 'foundation', sql: foundation }]
