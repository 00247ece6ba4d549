import type { PartContent } from './read-mime.ts'

/** Types that a page of this origin could run or apply by naming their address; `nosniff` then does the rest. */
const EXECUTABLE = /(?:java|ecma|j|live)script|css|wasm/
const MEDIA_TYPE = /^[a-z0-9!#$&^_.+-]{1,64}\/[a-z0-9!#$&^_.+-]{1,64}$/
const MAX_NAME = 200

/** A part as a download: its own type, so that images show where they are embedded, but never a document, a script or
 *  a style of this origin. */
export function partHeaders({ contentType, fileName }: PartContent): Record<string, string> {
  const type = contentType.toLowerCase()
  const harmless = MEDIA_TYPE.test(type) && !EXECUTABLE.test(type)
  return {
    'content-type': harmless ? type : 'application/octet-stream',
    'content-disposition': `attachment${nameParameters(fileName)}`,
  }
}

/** RFC 6266 §4.3 and appendix D: a plain name for old clients, the real one in UTF-8 (RFC 8187). */
function nameParameters(fileName: string): string {
  const name = fileName.slice(0, MAX_NAME).toWellFormed()
  if (name === '') return ''
  const plain = name.replace(/[^ !#-$&-[\]-~]/g, '_')
  const extended = encodeURIComponent(name).replace(/['()*]/g, percentEncode)
  return `; filename="${plain}"; filename*=UTF-8''${extended}`
}

function percentEncode(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase()}`
}
