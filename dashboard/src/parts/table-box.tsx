import type { ReactNode } from 'react'

interface TableBoxProps {
  /** What its rows are: "Versions". */
  readonly label: string
  readonly children: ReactNode
}

/** A table scrolls within its box where the screen is narrower than its words. */
export function TableBox({ label, children }: TableBoxProps) {
  return (
    // The page breaks words anywhere, with which a table would make columns of single letters.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reached by keyboard
    <div role="group" aria-label={label} tabIndex={0} className="overflow-x-auto wrap-break-word">
      {children}
    </div>
  )
}
