import { SqlFault, type SqlToken, sqlTokens } from './sql-tokens.ts'

/** What a query wants, as it was written. */
export type SqlExpression =
  | { readonly kind: 'value'; readonly value: string | number }
  | { readonly kind: 'column'; readonly name: string }
  | { readonly kind: 'interval'; readonly seconds: number }
  | {
      readonly kind: 'call'
      readonly name: string
      readonly distinct: boolean
      readonly args: readonly SqlExpression[]
    }

export interface SqlItem {
  readonly expression: SqlExpression
  /** As it is called in the answer. */
  readonly name: string
}

export interface SqlQuery {
  /** Absent: every column. */
  readonly items: readonly SqlItem[] | undefined
  readonly dataset: string
  readonly where: SqlExpression | undefined
  readonly groupBy: readonly SqlExpression[]
  readonly having: SqlExpression | undefined
  readonly orderBy: readonly { readonly expression: SqlExpression; readonly descending: boolean }[]
  readonly limit: number
  readonly offset: number
}

export const MOST_ROWS = 10_000
const LONGEST_QUERY = 10_000
const DEEPEST = 40
/** A chain of them is as deep as it is long. */
const MOST_OPERATORS = 300

const UNIT_SECONDS: Readonly<Record<string, number>> = {
  SECOND: 1,
  MINUTE: 60,
  HOUR: 3600,
  DAY: 86_400,
  WEEK: 604_800,
}

/** Left-associative operators, the loosest first. */
const LEVELS: readonly (readonly string[])[] = [['OR'], ['AND'], [], ['+', '-'], ['*', '/', '%']]
const COMPARISONS = ['=', '==', '!=', '<>', '<', '<=', '>', '>=']
const RESERVED = new Set(
  'SELECT FROM WHERE GROUP HAVING ORDER BY LIMIT OFFSET AS AND OR NOT IN LIKE BETWEEN FORMAT ASC DESC'.split(
    ' ',
  ),
)

/** The query, or, of `SHOW TABLES`, that. Throws SqlFault. */
export function parseSql(sql: string): SqlQuery | 'show-tables' {
  if (sql.length > LONGEST_QUERY) throw new SqlFault(`A query may have ${LONGEST_QUERY} characters.`)
  return new Parser(sql, sqlTokens(sql)).query()
}

class Parser {
  readonly #sql: string
  readonly #tokens: readonly SqlToken[]
  #position = 0
  #depth = 0
  #operators = 0

  constructor(sql: string, tokens: readonly SqlToken[]) {
    this.#sql = sql
    this.#tokens = tokens
  }

  query(): SqlQuery | 'show-tables' {
    if (this.#word('SHOW')) {
      this.#need('TABLES')
      this.#end()
      return 'show-tables'
    }
    this.#need('SELECT')
    const items = this.#sign('*') ? undefined : this.#list(() => this.#item())
    this.#need('FROM')
    const dataset = this.#name('a dataset')
    const where = this.#word('WHERE') ? this.#expression() : undefined
    const groupBy = this.#by('GROUP') ? this.#list(() => this.#expression()) : []
    const having = this.#word('HAVING') ? this.#expression() : undefined
    const orderBy = this.#by('ORDER') ? this.#list(() => this.#order()) : []
    const limit = this.#word('LIMIT') ? Math.min(this.#count(), MOST_ROWS) : MOST_ROWS
    const offset = this.#word('OFFSET') ? this.#count() : 0
    this.#end()
    return { items, dataset, where, groupBy, having, orderBy, limit, offset }
  }

  #end(): void {
    if (this.#word('FORMAT')) this.#need('JSON')
    this.#sign(';')
    if (this.#peek().kind !== 'end') this.#fail('the end')
  }

  #item(): SqlItem {
    const start = this.#peek().at
    const expression = this.#expression()
    const end = this.#peek().at
    const written = this.#sql.slice(start, end).trim()
    return { expression, name: this.#word('AS') ? this.#name('a name') : written }
  }

  #order() {
    const expression = this.#expression()
    const descending = this.#word('DESC')
    if (!descending) this.#word('ASC')
    return { expression, descending }
  }

  #expression(level = 0): SqlExpression {
    if (++this.#depth > DEEPEST * LEVELS.length) throw new SqlFault('The query is nested too deep.')
    try {
      if (level === 2) return this.#condition()
      const operators = LEVELS[level]
      if (!operators) return this.#operand()
      let left = this.#expression(level + 1)
      for (;;) {
        const operator = operators.find((each) => this.#word(each) || this.#sign(each))
        if (operator === undefined) return left
        if (++this.#operators > MOST_OPERATORS) throw new SqlFault('The query is too long a chain.')
        left = call(operator, left, this.#expression(level + 1))
      }
    } finally {
      this.#depth--
    }
  }

  /** A comparison, which stands between AND and arithmetic. */
  #condition(): SqlExpression {
    if (this.#word('NOT')) return call('NOT', this.#expression(2))
    const left = this.#expression(3)
    const operator = COMPARISONS.find((each) => this.#sign(each))
    if (operator !== undefined) return call(plainOperator(operator), left, this.#expression(3))
    const negated = this.#word('NOT')
    const compared = this.#worded(left)
    if (!compared) return negated ? this.#fail('IN, LIKE or BETWEEN') : left
    return negated ? call('NOT', compared) : compared
  }

  #worded(left: SqlExpression): SqlExpression | undefined {
    if (this.#word('LIKE')) return call('LIKE', left, this.#expression(3))
    if (this.#word('BETWEEN')) {
      const low = this.#expression(3)
      this.#need('AND')
      return call('AND', call('>=', left, low), call('<=', left, this.#expression(3)))
    }
    if (!this.#word('IN')) return undefined
    this.#needSign('(')
    const values = this.#list(() => this.#expression(3))
    this.#needSign(')')
    return call('IN', left, ...values)
  }

  #operand(): SqlExpression {
    const { kind, text } = this.#peek()
    if (this.#sign('-')) return call('-', { kind: 'value', value: 0 }, this.#expression(4))
    if (this.#sign('(')) {
      const inner = this.#expression()
      this.#needSign(')')
      return inner
    }
    if (kind === 'number' || kind === 'text') {
      this.#position++
      return { kind: 'value', value: kind === 'number' ? Number(text) : text }
    }
    if (kind === 'quoted') return { kind: 'column', name: this.#name('a column') }
    if (this.#word('INTERVAL')) return this.#interval()
    if (kind !== 'name' || RESERVED.has(text.toUpperCase())) return this.#fail('a value')
    this.#position++
    return this.#sign('(') ? this.#call(text) : { kind: 'column', name: text }
  }

  #call(name: string): SqlExpression {
    const distinct = this.#word('DISTINCT')
    if (this.#sign('*')) {
      this.#needSign(')')
      return { kind: 'call', name: name.toUpperCase(), distinct: false, args: [] }
    }
    const args = this.#sign(')') ? [] : this.#list(() => this.#expression())
    if (args.length > 0) this.#needSign(')')
    return { kind: 'call', name: name.toUpperCase(), distinct, args }
  }

  /** `INTERVAL '5' MINUTE`. */
  #interval(): SqlExpression {
    const { kind, text } = this.#peek()
    const count = Number(text)
    if ((kind !== 'text' && kind !== 'number') || text === '' || !Number.isFinite(count))
      return this.#fail('a number')
    this.#position++
    const unit = UNIT_SECONDS[this.#peek().text.toUpperCase().replace(/S$/, '')]
    if (unit === undefined) return this.#fail('SECOND, MINUTE, HOUR, DAY or WEEK')
    this.#position++
    return { kind: 'interval', seconds: count * unit }
  }

  #list<T>(one: () => T): T[] {
    const all = [one()]
    while (this.#sign(',')) all.push(one())
    return all
  }

  #by(word: string): boolean {
    if (!this.#word(word)) return false
    this.#need('BY')
    return true
  }

  #count(): number {
    const { kind, text } = this.#peek()
    if (kind !== 'number' || !/^\d{1,9}$/.test(text)) return this.#fail('a whole number')
    this.#position++
    return Number(text)
  }

  #name(what: string): string {
    const { kind, text } = this.#peek()
    const isName =
      kind === 'quoted' || kind === 'text' || (kind === 'name' && !RESERVED.has(text.toUpperCase()))
    if (!isName) return this.#fail(what)
    this.#position++
    return text
  }

  #peek(): SqlToken {
    return this.#tokens[this.#position] ?? { kind: 'end', text: '', at: this.#sql.length }
  }

  #word(word: string): boolean {
    const { kind, text } = this.#peek()
    const is = kind === 'name' && text.toUpperCase() === word
    if (is) this.#position++
    return is
  }

  #sign(sign: string): boolean {
    const { kind, text } = this.#peek()
    const is = kind === 'sign' && text === sign
    if (is) this.#position++
    return is
  }

  #need(word: string): void {
    if (!this.#word(word)) this.#fail(word)
  }

  #needSign(sign: string): void {
    if (!this.#sign(sign)) this.#fail(`"${sign}"`)
  }

  #fail(expected: string): never {
    const { at, text } = this.#peek()
    const there = text === '' ? 'where it ends' : `at character ${at + 1} ("${text.slice(0, 30)}")`
    throw new SqlFault(`The query should have ${expected} ${there}.`)
  }
}

function call(name: string, ...args: SqlExpression[]): SqlExpression {
  return { kind: 'call', name, distinct: false, args }
}

function plainOperator(operator: string): string {
  return operator === '==' ? '=' : operator === '<>' ? '!=' : operator
}
