import { type ReactNode, useEffect } from 'react'

interface PageProps {
  readonly title: string
  /** One sentence: what this page is for. */
  readonly lead?: ReactNode
  /** Buttons at its head. */
  readonly actions?: ReactNode
  readonly children: ReactNode
}

/** The head of every page, and the window's title. Its buttons stand below its words where a phone would have them side
 *  by side in narrow columns. */
export function Page({ title, lead, actions, children }: PageProps) {
  useEffect(() => {
    document.title = `${title} · Posthorn`
  }, [title])
  return (
    <>
      <div className="mb-6 flex flex-wrap items-start justify-between gap-4">
        <div className={`min-w-0 flex-1 ${lead === undefined ? 'basis-48' : 'basis-72'}`}>
          <h1 className="text-2xl font-semibold">{title}</h1>
          {lead !== undefined && <p className="mt-1 max-w-prose text-kumo-subtle">{lead}</p>}
        </div>
        {actions !== undefined && <div className="flex flex-wrap gap-2">{actions}</div>}
      </div>
      {children}
    </>
  )
}

interface SectionProps {
  readonly title: string
  readonly lead?: ReactNode
  readonly actions?: ReactNode
  readonly children: ReactNode
}

/** A card of a page. */
export function Section({ title, lead, actions, children }: SectionProps) {
  return (
    <section
      aria-label={title}
      className="mb-6 rounded-xl border border-kumo-hairline bg-kumo-base p-4 md:p-6"
    >
      <div className="mb-4 flex flex-wrap items-start justify-between gap-3">
        <div className={`min-w-0 flex-1 ${lead === undefined ? 'basis-48' : 'basis-72'}`}>
          <h2 className="text-lg font-semibold">{title}</h2>
          {lead !== undefined && <p className="mt-1 max-w-prose text-kumo-subtle">{lead}</p>}
        </div>
        {actions !== undefined && <div className="flex flex-wrap gap-2">{actions}</div>}
      </div>
      {children}
    </section>
  )
}
