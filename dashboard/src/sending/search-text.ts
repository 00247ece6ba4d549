/** What an address says of the parameter `name`, as text; nothing where it is empty. The router reads digits as a
 *  number. */
export function textIn<Name extends string>(name: Name, value: unknown): { readonly [N in Name]?: string } {
  const text = typeof value === 'string' ? value : typeof value === 'number' ? String(value) : ''
  // The compiler does not see that a computed key of one name is that name.
  return (text === '' ? {} : { [name]: text }) as { readonly [N in Name]?: string }
}

/** The same of a count from 1 on. */
export function numberIn<Name extends string>(name: Name, value: unknown): { readonly [N in Name]?: number } {
  const isCount = typeof value === 'number' && Number.isSafeInteger(value) && value >= 1
  return (isCount ? { [name]: value } : {}) as { readonly [N in Name]?: number }
}
