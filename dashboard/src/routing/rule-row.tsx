import { Badge } from '@cloudflare/kumo/components/badge'
import { Button } from '@cloudflare/kumo/components/button'
import { Switch } from '@cloudflare/kumo/components/switch'
import {
  ArrowDownIcon,
  ArrowUpIcon,
  DotsSixVerticalIcon,
  PencilSimpleIcon,
  TrashIcon,
} from '@phosphor-icons/react'
import type { DragEvent } from 'react'
import type { RuleResult } from '#contract/rules.ts'
import { ActionText } from './action-text.tsx'
import { actionOf, addressOf, isGone, type RuleState, stateOf } from './read-rule.ts'
import type { Targets } from './use-targets.ts'

export type Direction = 'up' | 'down'

interface RuleRowProps {
  readonly rule: RuleResult
  readonly targets: Targets
  /** Of a part of the list there is no order to change. */
  readonly isMovable: boolean
  readonly isFirst: boolean
  readonly isLast: boolean
  /** What is dragged would come here. */
  readonly isOver: boolean
  readonly onMove: (by: Direction) => void
  readonly onToggle: (enabled: boolean) => void
  readonly isToggling: boolean
  readonly onEdit: () => void
  readonly onDelete: () => void
  readonly drag: {
    readonly onDragStart: (event: DragEvent) => void
    readonly onDragEnd: (event: DragEvent) => void
    readonly onDragOver: (event: DragEvent) => void
    readonly onDrop: (event: DragEvent) => void
  }
}

/** One line where the list has the room for it, as large as its letters are; else three. */
export function RuleRow(props: RuleRowProps) {
  const { rule, targets, isOver, drag, onToggle, isToggling, onEdit, onDelete } = props
  const address = addressOf(rule)
  return (
    // What is dropped here was dragged by the mouse; the buttons of the row do the same.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <li
      className={`grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-4 gap-y-2 py-3 @3xl:grid-cols-[5.5rem_minmax(0,2fr)_minmax(0,3fr)_11rem_auto] ${isOver ? 'bg-kumo-tint' : ''}`}
      onDragOver={drag.onDragOver}
      onDrop={drag.onDrop}
    >
      <Order {...props} address={address} />
      <span className="order-1 min-w-0 @3xl:order-none">
        <span className="font-mono text-sm [overflow-wrap:anywhere]">{address}</span>
        {rule.name !== '' && <span className="block text-sm text-kumo-subtle">{rule.name}</span>}
      </span>
      <span className="order-3 col-span-2 min-w-0 @3xl:order-none @3xl:col-span-1">
        <ActionText rule={rule} />
        {isGone(actionOf(rule), targets) && (
          <Badge variant="warning" className="ml-2">
            Deleted
          </Badge>
        )}
        {rule.source === 'wrangler' && (
          <Badge variant="outline" className="ml-2">
            wrangler
          </Badge>
        )}
      </span>
      <span className="order-4 @3xl:order-none">
        <Status
          address={address}
          state={stateOf(rule, targets.addresses)}
          isToggling={isToggling}
          onToggle={onToggle}
        />
      </span>
      <span className="order-2 flex justify-end gap-1 @3xl:order-none">
        <Button
          variant="ghost"
          shape="square"
          size="sm"
          icon={<PencilSimpleIcon />}
          aria-label={`Edit the rule for ${address}`}
          onClick={onEdit}
        />
        <Button
          variant="ghost"
          shape="square"
          size="sm"
          icon={<TrashIcon />}
          aria-label={`Delete the rule for ${address}`}
          onClick={onDelete}
        />
      </span>
    </li>
  )
}

interface StatusProps {
  readonly address: string
  readonly state: RuleState
  readonly isToggling: boolean
  readonly onToggle: (enabled: boolean) => void
}

function Status({ address, state, isToggling, onToggle }: StatusProps) {
  if (state === 'unverified') return <Badge variant="warning">Waiting for verification</Badge>
  return (
    <span className="flex items-center gap-2">
      <Switch
        size="sm"
        aria-label={`Rule for ${address}`}
        checked={state === 'active'}
        transitioning={isToggling}
        onCheckedChange={onToggle}
      />
      <span aria-hidden>{state === 'active' ? 'Active' : 'Disabled'}</span>
    </span>
  )
}

function Order({
  rule,
  isFirst,
  isLast,
  isMovable,
  onMove,
  drag,
  address,
}: RuleRowProps & { readonly address: string }) {
  if (!isMovable || (isFirst && isLast)) return <span className="hidden @3xl:block" />
  return (
    <span className="order-5 flex items-center @3xl:order-none">
      {/* For the mouse alone: the buttons beside it do the same. */}
      <span
        draggable
        title="Drag to change the order"
        data-drag={address}
        className="cursor-grab p-1 text-kumo-subtle @max-3xl:hidden"
        onDragStart={(event) => {
          event.dataTransfer.setData('text/plain', address)
          event.dataTransfer.effectAllowed = 'move'
          drag.onDragStart(event)
        }}
        onDragEnd={drag.onDragEnd}
      >
        <DotsSixVerticalIcon aria-hidden size={18} />
      </span>
      <Button
        id={`move-up-${rule.id}`}
        variant="ghost"
        shape="square"
        size="sm"
        icon={<ArrowUpIcon />}
        disabled={isFirst}
        aria-label={`Move the rule for ${address} up`}
        onClick={() => onMove('up')}
      />
      <Button
        id={`move-down-${rule.id}`}
        variant="ghost"
        shape="square"
        size="sm"
        icon={<ArrowDownIcon />}
        disabled={isLast}
        aria-label={`Move the rule for ${address} down`}
        onClick={() => onMove('down')}
      />
    </span>
  )
}
