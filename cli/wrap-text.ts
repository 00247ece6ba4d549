/** A line broken at words to fit the width, where there is one; what follows its first piece begins with `indent`, and
 *  with the line's own. A word that is longer stays whole. */
export function wrapText(text: string, width: number | undefined, indent = ''): string {
  if (width === undefined || text.length <= width) return text
  const own = /^ */.exec(text)?.[0] ?? ''
  const lines: string[] = []
  let line = own
  for (const word of text.slice(own.length).split(' ')) {
    const next = line.trim() === '' ? `${line}${word}` : `${line} ${word}`
    if (next.length > width && line.trim() !== '') {
      lines.push(line)
      line = `${own}${indent}${word}`
    } else line = next
  }
  return [...lines, line].join('\n')
}
