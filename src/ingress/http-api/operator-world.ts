import type { OperatorHands } from '#outbound/queue/operator-hands.ts'
import type { OperatorToken } from '#registry/accounts/operator-token.ts'
import type { SelectionWorld } from './operator-selection.ts'
import type { ReadTimeline } from './timeline-body.ts'

/** What the operator's routes work with. */
export interface OperatorWorld extends Omit<SelectionWorld, 'hands'> {
  readonly operatorToken: OperatorToken
  readonly hands: OperatorHands
  readonly readTimeline: ReadTimeline
}
