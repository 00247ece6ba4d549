import { type ReactNode, useEffect } from 'react'

interface EntryCardProps {
  readonly title: string
  readonly children: ReactNode
}

/** A page of who is not signed in: a card in the middle. */
export function EntryCard({ title, children }: EntryCardProps) {
  useEffect(() => {
    document.title = `${title} · Posthorn`
  }, [title])
  return (
    <main className="grid min-h-dvh place-items-center bg-kumo-canvas p-4">
      <div className="w-full max-w-sm rounded-xl border border-kumo-hairline bg-kumo-base p-8">
        <p className="mb-6 flex items-center gap-3 font-semibold">
          <img src="/posthorn.svg" alt="" width={28} height={28} />
          Posthorn
        </p>
        <h1 className="mb-4 text-xl font-semibold">{title}</h1>
        {children}
      </div>
    </main>
  )
}
