import { page } from './page.ts'
import { plain } from './text-table.ts'
import { wrapText } from './wrap-text.ts'

/** What went wrong, on stderr. Lines after the first are about it. */
export function tellFailure(message: string): void {
  const { width } = page(process.stderr)
  const lines = `posthorn: ${message}`.split('\n')
  console.error(lines.map((line) => wrapText(plain(line), width, '  ')).join('\n'))
}
