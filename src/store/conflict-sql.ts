import type { SqlText } from './sql-text.ts'

/** The statement wrapped so that the server itself counts the rows and, where they are not as many as one parameter
 *  more says, raises the conflict that undoes the transaction: no answer has to travel before the next statement.
 *  `posthorn_conflict` is volatile, so the planner may neither fold it nor drop its column. */
export function withExpectation(name: string, { text, arity }: SqlText): SqlText {
  const counted = `case when count(*) = $${arity + 1} then 0 else posthorn_conflict('${name.replaceAll("'", "''")}') end`
  const wrapped = returnsRows(text)
    ? // A left join from the count keeps the check where no row came back.
      `with written as (${text}) select written.* from (select ${counted} from written) as checked left join written on true`
    : `with written as (${text} returning 1) select ${counted} from written`
  return { text: wrapped, arity: arity + 1 }
}

export function returnsRows(text: string): boolean {
  return /^\s*select\b|\breturning\b/i.test(text)
}
