import { Button } from '@cloudflare/kumo/components/button'
import { Input } from '@cloudflare/kumo/components/input'
import { TrashIcon } from '@phosphor-icons/react'
import { type FormEvent, type ReactNode, useState } from 'react'
import { problemText } from '../api/problem.ts'
import { useAct } from '../api/use-ask.ts'
import { ConfirmDialog } from '../parts/confirm-dialog.tsx'
import { Section } from '../parts/page.tsx'

export interface Place {
  readonly id: string
  readonly text: string
}

interface PlaceListProps {
  readonly title: string
  readonly lead: ReactNode
  /** One of them: "route". */
  readonly what: string
  readonly placeholder: string
  readonly places: readonly Place[]
  readonly onAdd: (text: string) => Promise<unknown>
  readonly onRemove: (place: Place) => Promise<unknown>
  /** What to ask anew for after either. */
  readonly stale: readonly string[]
}

/** Short texts by which a Worker is reached or run, to add to and to take from. */
export function PlaceList(props: PlaceListProps) {
  const { title, lead, what, placeholder, places, onAdd, onRemove, stale } = props
  const [text, setText] = useState('')
  const [going, setGoing] = useState<Place>()
  const add = useAct(onAdd, stale)
  const remove = useAct(onRemove, stale)
  function submit(event: FormEvent) {
    event.preventDefault()
    if (text.trim() !== '') add.mutate(text.trim(), { onSuccess: () => setText('') })
  }
  return (
    <Section title={title} lead={lead}>
      {places.length > 0 && (
        <ul className="mb-4 divide-y divide-kumo-hairline">
          {places.map((place) => (
            <li key={place.id} className="flex items-center justify-between gap-2 py-2">
              <span className="font-mono text-sm break-all">{place.text}</span>
              <Button
                variant="ghost"
                shape="square"
                size="sm"
                icon={<TrashIcon />}
                aria-label={`Remove the ${what} ${place.text}`}
                onClick={() => setGoing(place)}
              />
            </li>
          ))}
        </ul>
      )}
      <form className="flex max-w-xl flex-col items-start gap-2 sm:flex-row" onSubmit={submit}>
        <div className="w-full sm:flex-1">
          <Input
            label={`New ${what}`}
            placeholder={placeholder}
            value={text}
            autoComplete="off"
            spellCheck={false}
            required
            onChange={(event) => {
              add.reset()
              setText(event.target.value)
            }}
            {...(add.error && { error: problemText(add.error) })}
          />
        </div>
        <Button type="submit" className="sm:mt-7" loading={add.isPending}>
          Add {what}
        </Button>
      </form>
      <ConfirmDialog
        open={going !== undefined}
        onOpenChange={() => setGoing(undefined)}
        title={`Remove the ${what} ${going?.text ?? ''}?`}
        action={`Remove ${what}`}
        onConfirm={async () => going && remove.mutateAsync(going)}
      >
        The Worker is no longer reached or run by it. The next deploy adds it again if the Worker’s
        configuration names it.
      </ConfirmDialog>
    </Section>
  )
}
