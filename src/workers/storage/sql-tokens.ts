/** A piece of a query; `at` is where it begins. */
export interface SqlToken {
  readonly kind: 'name' | 'quoted' | 'text' | 'number' | 'sign' | 'end'
  readonly text: string
  readonly at: number
}

/** A query that cannot be answered, in a sentence for whoever wrote it. Caught where the query came in. */
export class SqlFault extends Error {
  override readonly name = 'SqlFault'
}

const TOKEN =
  /\s+|--[^\n]*|([A-Za-z_][A-Za-z0-9_]*)|"([^"]{1,100})"|`([^`]{1,100})`|'((?:[^'\\]|''|\\.)*)'|(\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)|(<=|>=|<>|!=|==|[-+*/%(),<>=;])/y

export function sqlTokens(sql: string): readonly SqlToken[] {
  const tokens: SqlToken[] = []
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < sql.length) {
    const at = TOKEN.lastIndex
    const match = TOKEN.exec(sql)
    if (!match) throw new SqlFault(`The query makes no sense at character ${at + 1}.`)
    const [, name, double, tick, text, number, sign] = match
    const quoted = double ?? tick
    if (name !== undefined) tokens.push({ kind: 'name', text: name, at })
    else if (quoted !== undefined) tokens.push({ kind: 'quoted', text: quoted, at })
    else if (text !== undefined) tokens.push({ kind: 'text', text: unescaped(text), at })
    else if (number !== undefined) tokens.push({ kind: 'number', text: number, at })
    else if (sign !== undefined) tokens.push({ kind: 'sign', text: sign, at })
  }
  return [...tokens, { kind: 'end', text: '', at: sql.length }]
}

function unescaped(text: string): string {
  return text.replaceAll(/''|\\(.)/g, (pair, escaped: string | undefined) => escaped ?? pair.slice(1))
}
