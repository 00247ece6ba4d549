import { after, before, describe } from 'node:test'
import { type Instance, startInstance } from './instance.ts'
import { newDatabase } from './stores.ts'

/** The tests that `register` makes, on an instance over each engine, which they share. */
export function onEachEngine(
  register: (instance: () => Instance) => void,
  environment: Readonly<Record<string, string>> = {},
): void {
  for (const engine of ['SQLite', 'PostgreSQL'] as const) {
    describe(engine, () => {
      let instance: Instance | undefined
      before(async () => {
        const url = engine === 'PostgreSQL' ? { POSTHORN_DATABASE_URL: await newDatabase() } : {}
        instance = await startInstance({ ...environment, ...url })
      })
      after(async () => instance?.[Symbol.asyncDispose]())
      register(() => {
        if (!instance) throw new Error('the instance has not started')
        return instance
      })
    })
  }
}
