/** A message's octets: small ones in memory, large ones in a file that whoever opened it removes. CRLF line ends, dots
 *  unstuffed. */
export type Content =
  | { readonly kind: 'memory'; readonly bytes: Buffer }
  | { readonly kind: 'file'; readonly path: string; readonly size: number }
