import { CopyButton } from './copy-button.tsx'

interface CodeTextProps {
  readonly text: string
  /** What it is: "the request as curl". */
  readonly what: string
}

/** Lines as they are, to be copied. */
export function CodeText({ text, what }: CodeTextProps) {
  return (
    <div className="relative rounded-lg border border-kumo-hairline bg-kumo-recessed">
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reached by keyboard */}
      <pre tabIndex={0} aria-label={what} className="max-h-96 overflow-auto p-4 pr-12 font-mono text-sm">
        {text}
      </pre>
      <div className="absolute top-1.5 right-1.5 rounded-md bg-kumo-recessed">
        <CopyButton text={text} what={what} />
      </div>
    </div>
  )
}
