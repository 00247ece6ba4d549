/** A form as clients upload it (RFC 7578): what each name stands for first. Out: what is wrong with it, in a sentence.
 *  Each part costs time and memory, so that one of more than `mostParts` is not looked at. */
export async function readForm(
  body: Uint8Array,
  contentType: string,
  mostParts: number,
): Promise<FormData | { readonly detail: string }> {
  const boundary = /;\s*boundary=(?:"([^"]{1,200})"|([^\s;"]{1,200}))/i.exec(contentType)
  const name = boundary?.[1] ?? boundary?.[2]
  if (name === undefined) return { detail: 'The Content-Type of the form names no boundary.' }
  if (countParts(body, name) > mostParts) return { detail: `The form may have ${mostParts} parts.` }
  try {
    return await new Response(Buffer.from(body), { headers: { 'content-type': contentType } }).formData()
  } catch {
    // The parser says nothing that a sender could use.
    return { detail: 'The body is not the multipart/form-data that its Content-Type says.' }
  }
}

export function isForm(contentType: string): boolean {
  return /^\s*multipart\/form-data\s*(?:;|$)/i.test(contentType)
}

/** At least as many as there are: what looks like a boundary counts wherever it stands. */
function countParts(body: Uint8Array, boundary: string): number {
  const octets = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const delimiter = Buffer.from(`--${boundary}`, 'latin1')
  let count = 0
  for (let at = octets.indexOf(delimiter); at !== -1; at = octets.indexOf(delimiter, at + delimiter.length)) {
    count++
  }
  // The last one closes the form.
  return count - 1
}
