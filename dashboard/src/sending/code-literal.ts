/** Code that stands in a literal as it is: what is read when the program runs. */
export class Expression {
  readonly code: string

  constructor(code: string) {
    this.code = code
  }
}

/** `shell`: JSON between single quotes. */
type Language = 'javascript' | 'python' | 'shell'

/** A value as a program writes it, with expressions in it; `indent` is that of the line on which it begins. */
export function literal(value: unknown, language: Language, indent = 0): string {
  if (value instanceof Expression) return value.code
  if (typeof value !== 'object' || value === null) return quoted(JSON.stringify(value), language)
  if (!Array.isArray(value)) {
    const lines = Object.entries(value).map(
      ([key, entry]) => `${keyText(key, language)}: ${literal(entry, language, indent + 2)}`,
    )
    return block('{', lines, '}', { language, indent })
  }
  const entries = value.map((entry) => literal(entry, language, indent + 2))
  const isPlain = value.every((entry) => typeof entry === 'string')
  return isPlain ? `[${entries.join(', ')}]` : block('[', entries, ']', { language, indent })
}

function block(
  open: string,
  lines: readonly string[],
  close: string,
  { language, indent }: { readonly language: Language; readonly indent: number },
): string {
  const [inner, outer] = [' '.repeat(indent + 2), ' '.repeat(indent)]
  // JSON alone has no comma after the last.
  const last = language === 'shell' ? '' : ','
  return `${open}\n${inner}${lines.join(`,\n${inner}`)}${last}\n${outer}${close}`
}

function keyText(key: string, language: Language): string {
  return language === 'javascript' && /^[a-z]\w*$/i.test(key) ? key : quoted(JSON.stringify(key), language)
}

/** JavaScript and Python read JSON's texts as they are. */
function quoted(json: string, language: Language): string {
  return language === 'shell' ? json.replaceAll("'", "'\\''") : json
}

/** A word of a shell's command, whatever is in it. */
export function shellWord(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
