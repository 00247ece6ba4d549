/** What wrangler asks for before it uploads a Worker that needs it. */
const PRODUCTS: readonly (readonly [path: RegExp, product: string])[] = [
  [/\/r2\/buckets\b/, 'R2'],
  [/\/d1\/database\b/, 'D1'],
  [/\/assets-upload-session$/, 'static assets'],
  [/\/workers\/dispatch\b/, 'Workers for Platforms'],
  [/\/workflows\b/, 'Workflows'],
  [/\/vectorize\b/, 'Vectorize'],
  [/\/containers\b/, 'Containers'],
]

/** The product of the original that a path is about and that this service does not have, in a sentence. */
export function absentProduct(path: string): string {
  const product = PRODUCTS.find(([pattern]) => pattern.test(path))?.[1]
  return product === undefined
    ? ''
    : ` This service has no ${product}: take its bindings out of the configuration.`
}
