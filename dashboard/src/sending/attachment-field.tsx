import { Button } from '@cloudflare/kumo/components/button'
import { PaperclipIcon, XIcon } from '@phosphor-icons/react'
import { useRef, useState } from 'react'
import { problemText } from '../api/problem.ts'
import { ProblemNote } from '../parts/problem-note.tsx'
import type { TestAttachment } from './test-message.ts'

interface AttachmentFieldProps {
  readonly value: readonly TestAttachment[]
  readonly onChange: (attachments: readonly TestAttachment[]) => void
}

export function AttachmentField({ value, onChange }: AttachmentFieldProps) {
  const input = useRef<HTMLInputElement>(null)
  const [problem, setProblem] = useState<string>()

  async function add(files: FileList | null) {
    setProblem(undefined)
    try {
      onChange([...value, ...(await Promise.all(Array.from(files ?? []).map(read)))])
    } catch (error) {
      setProblem(problemText(error))
    }
  }

  return (
    <div className="flex flex-col gap-2">
      <input
        ref={input}
        type="file"
        multiple
        className="sr-only"
        aria-label="Attachments"
        tabIndex={-1}
        onChange={({ target }) => {
          void add(target.files)
        }}
      />
      {value.length > 0 && (
        <ul aria-label="Attached files" className="flex flex-col gap-1">
          {value.map((attachment, index) => (
            <li key={`${index} ${attachment.filename}`} className="flex items-center gap-2">
              <span className="min-w-0 truncate">{attachment.filename}</span>
              <span className="text-sm whitespace-nowrap text-kumo-subtle">{sizeOf(attachment)}</span>
              <Button
                variant="ghost"
                size="sm"
                shape="square"
                aria-label={`Take out ${attachment.filename}`}
                icon={<XIcon />}
                onClick={() => onChange(value.filter((other) => other !== attachment))}
              />
            </li>
          ))}
        </ul>
      )}
      {problem !== undefined && <ProblemNote>{problem}</ProblemNote>}
      <div>
        <Button icon={<PaperclipIcon aria-hidden />} onClick={() => input.current?.click()}>
          Attach files
        </Button>
      </div>
    </div>
  )
}

const UNITS = [
  [1_000_000, 'megabyte'],
  [1000, 'kilobyte'],
] as const

async function read(file: File): Promise<TestAttachment> {
  const url = await new Promise<string>((resolve, reject) => {
    const reader = new FileReader()
    reader.addEventListener('load', () => resolve(typeof reader.result === 'string' ? reader.result : ''))
    reader.addEventListener('error', () => reject(new Error(`${file.name} could not be read.`)))
    reader.readAsDataURL(file)
  })
  // data:<type>;base64,<content>
  const content = url.slice(url.indexOf(',') + 1)
  return { filename: file.name, type: file.type || 'application/octet-stream', content }
}

function sizeOf({ content }: TestAttachment): string {
  const bytes = Math.floor((content.replace(/=+$/, '').length * 3) / 4)
  const [size, unit] = UNITS.find(([size]) => bytes >= size) ?? [1, 'byte']
  return (bytes / size).toLocaleString(undefined, {
    style: 'unit',
    unit,
    unitDisplay: 'long',
    maximumFractionDigits: 1,
  })
}
