import { type ReactNode, useEffect } from 'react'

interface PageProps {
  readonly title: string
  /** One sentence: what this page is for. */
  readonly lead?: ReactNode
  /** Buttons at its head. */
  readonly actions?: ReactNode
  readonly children: ReactNode
}

/** The id of its heading, by which the page is called. */
export const PAGE_TITLE = 'page-title'

/** The head of every page, and the window's title. */
export function Page({ title, lead, actions, children }: PageProps) {
  useEffect(() => {
    document.title = `${title} · Posthorn`
  }, [title])
  return (
    <>
      <div className="mb-6 flex flex-wrap items-start justify-between gap-4">
        <div className={headClass(lead)}>
          <h1 id={PAGE_TITLE} className="text-2xl font-semibold">
            {title}
          </h1>
          {lead !== undefined && <p className="mt-1 max-w-prose text-kumo-subtle">{lead}</p>}
        </div>
        {actions !== undefined && <div className="flex flex-wrap gap-2">{actions}</div>}
      </div>
      {children}
    </>
  )
}

/** Beside buttons words keep a width at which they read well; on a phone the buttons stand below. */
function headClass(lead: ReactNode): string {
  return lead === undefined ? 'min-w-0' : 'min-w-0 flex-1 basis-72'
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
        <div className={headClass(lead)}>
          <h2 className="text-lg font-semibold">{title}</h2>
          {lead !== undefined && <p className="mt-1 max-w-prose text-kumo-subtle">{lead}</p>}
        </div>
        {actions !== undefined && <div className="flex flex-wrap gap-2">{actions}</div>}
      </div>
      {children}
    </section>
  )
}
