import { CopyButton } from './copy-button.tsx'

interface CodeTextProps {
  readonly text: string
  /** What it is: "the request as curl". */
  readonly what: string
}

/** Lines as they are, to be copied. */
export function CodeText({ text, what }: CodeTextProps) {
  return (
    <div className="flex items-start rounded-lg border border-kumo-hairline bg-kumo-recessed">
      <pre
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reached by keyboard
        tabIndex={0}
        aria-label={what}
        className="max-h-96 min-w-0 flex-1 overflow-auto p-4 pr-2 font-mono text-sm"
      >
        {text}
      </pre>
      <div className="p-1.5">
        <CopyButton text={text} what={what} />
      </div>
    </div>
  )
}
