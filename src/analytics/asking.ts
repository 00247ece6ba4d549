import type { Deadline } from './deadline.ts'
import type { HistoryEngine } from './history-engine.ts'
import type { HistoryIndex } from './history-index.ts'

/** What answers a question, and for how long. */
export interface Asking {
  readonly engine: HistoryEngine
  readonly index: HistoryIndex
  /** Nothing from before it is told any more, even while it is still there. */
  readonly since: number
  readonly deadline: Deadline
}
