import { useKumoToastManager } from '@cloudflare/kumo/components/toast'
import { type DragEvent, useEffect, useRef, useState } from 'react'
import type { RuleBody, RuleResult } from '#contract/rules.ts'
import { ask } from '../api/ask.ts'
import { problemText } from '../api/problem.ts'
import { useAct } from '../api/use-ask.ts'
import { ConfirmDialog } from '../parts/confirm-dialog.tsx'
import { useAccount } from '../shell/use-account.ts'
import { addressOf, changedRule } from './read-rule.ts'
import { movedRules, type NewPriority, newPriorities, withPriorities } from './reorder-rules.ts'
import { accountRoutingPath, routingPath } from './routing-paths.ts'
import { type Direction, RuleRow } from './rule-row.tsx'
import type { Targets } from './use-targets.ts'

interface RulesListProps {
  readonly zoneId: string
  /** In the order in which they are tried. */
  readonly rules: readonly RuleResult[]
  readonly targets: Targets
  /** Not where some of them are left out that belong between them. */
  readonly isMovable: boolean
  readonly onEdit: (rule: RuleResult) => void
}

/** Rules in their order, which is changed by dragging them or with the buttons of a row. */
export function RulesList({ zoneId, rules, targets, isMovable, onEdit }: RulesListProps) {
  const account = useAccount()
  const toasts = useKumoToastManager()
  const path = routingPath(zoneId, 'rules')
  const stale = [path, accountRoutingPath(account.id, 'rules')]
  const put = (rule: RuleResult, change: Partial<Pick<RuleBody, 'enabled' | 'priority'>>) =>
    ask(`${path}/${rule.id}`, { method: 'PUT', body: changedRule(rule, change, targets.workers) })
  const toggle = useAct(
    ({ rule, enabled }: { rule: RuleResult; enabled: boolean }) => put(rule, { enabled }),
    stale,
  )
  const reorder = useAct(async (changes: readonly NewPriority[]) => {
    // One after the other: a list that broke off half way is in some order all the same.
    for (const { rule, priority } of changes) await put(rule, { priority })
  }, stale)
  const remove = useAct((id: string) => ask(`${path}/${id}`, { method: 'DELETE' }), stale)

  const [going, setGoing] = useState<RuleResult>()
  const [dragged, setDragged] = useState<number>()
  const [over, setOver] = useState<number>()
  const [said, setSaid] = useState('')
  // Until the answer is there the list shows what was asked for, and whoever is quick goes on from that.
  const [wanted, setWanted] = useState<readonly RuleResult[]>()
  const moves = useRef({ count: 0, last: Promise.resolve() })
  const shown = wanted ?? rules
  const focusAfter = useFocusAfterMove(shown)

  function move(from: number, to: number, by?: Direction) {
    const rule = shown[from]
    if (!rule || from === to || to < 0 || to >= shown.length) return
    if (by) focusAfter(rule.id, by)
    setSaid(`${addressOf(rule)} stands at place ${to + 1} of ${shown.length}.`)
    const order = movedRules(shown, from, to)
    const changes = newPriorities(order, rule.id)
    setWanted(withPriorities(order, changes))
    const { last } = moves.current
    const count = moves.current.count + 1
    moves.current = { count, last: inTurn() }
    async function inTurn() {
      await last
      await reorder.mutateAsync(changes).catch(tell)
      if (moves.current.count === count) setWanted(undefined)
    }
  }
  function tell(error: unknown) {
    toasts.add({ variant: 'error', title: 'That was not done', description: problemText(error) })
  }
  function drop(event: DragEvent, at: number) {
    event.preventDefault()
    if (dragged !== undefined) move(dragged, at)
    setDragged(undefined)
    setOver(undefined)
  }

  return (
    <div className="@container">
      <p className="sr-only" role="status">
        {said}
      </p>
      <div
        aria-hidden
        className="hidden gap-x-4 border-b border-kumo-hairline pb-2 text-sm font-semibold @3xl:grid @3xl:grid-cols-[5.5rem_minmax(0,2fr)_minmax(0,3fr)_11rem_auto]"
      >
        <span />
        <span>Email pattern</span>
        <span>Action</span>
        <span>Status</span>
        <span className="w-14" />
      </div>
      <ol aria-label="Routing Rules" className="divide-y divide-kumo-hairline">
        {shown.map((rule, index) => (
          <RuleRow
            key={rule.id}
            rule={rule}
            targets={targets}
            isMovable={isMovable}
            isFirst={index === 0}
            isLast={index === shown.length - 1}
            isOver={over === index && dragged !== index}
            onMove={(by) => move(index, by === 'up' ? index - 1 : index + 1, by)}
            onToggle={(enabled) => toggle.mutate({ rule, enabled }, { onError: tell })}
            isToggling={toggle.isPending && toggle.variables.rule.id === rule.id}
            onEdit={() => onEdit(rule)}
            onDelete={() => setGoing(rule)}
            drag={{
              onDragStart: () => setDragged(index),
              onDragEnd: () => {
                setDragged(undefined)
                setOver(undefined)
              },
              onDragOver(event) {
                if (dragged === undefined) return
                event.preventDefault()
                setOver(index)
              },
              onDrop: (event) => drop(event, index),
            }}
          />
        ))}
      </ol>
      <ConfirmDialog
        open={going !== undefined}
        onOpenChange={() => setGoing(undefined)}
        title={`Delete the rule for ${going ? addressOf(going) : ''}?`}
        action="Delete"
        onConfirm={async () => going && remove.mutateAsync(going.id)}
      >
        Mail for this address is no longer routed by it. This cannot be undone; to stop it for a while,
        disable the rule.
      </ConfirmDialog>
    </div>
  )
}

/** The button that moved a rule stays in hand, wherever its row went; at the end of the list the other one. */
function useFocusAfterMove(order: readonly RuleResult[]): (id: string, by: Direction) => void {
  const wanted = useRef<{ readonly id: string; readonly by: Direction }>(undefined)
  useEffect(() => {
    if (!wanted.current) return
    const { id, by } = wanted.current
    wanted.current = undefined
    const at = order.findIndex((rule) => rule.id === id)
    const isAtEnd = by === 'up' ? at === 0 : at === order.length - 1
    const shown = isAtEnd ? (by === 'up' ? 'down' : 'up') : by
    document.getElementById(`move-${shown}-${id}`)?.focus()
  }, [order])
  return (id, by) => {
    wanted.current = { id, by }
  }
}
