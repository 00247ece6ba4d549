/** The fields of a message's header as `Headers` takes them: unfolded (RFC 5322 §2.2.3), as Unicode where they are
 *  UTF-8 (RFC 6532) and octet by octet where they are not. Lines that are no field are passed over. */
export function headerFields(header: Uint8Array): readonly (readonly [name: string, value: string])[] {
  const lines = textOf(header).split(/\r?\n/)
  const fields: [string, string][] = []
  for (const line of lines) {
    const last = fields.at(-1)
    if (/^[ \t]/.test(line)) {
      if (last) last[1] += line
      continue
    }
    const colon = line.indexOf(':')
    if (colon > 0) fields.push([line.slice(0, colon).trimEnd(), line.slice(colon + 1)])
  }
  return fields.map(([name, value]) => [name, value.trim()])
}

function textOf(octets: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(octets)
  } catch {
    return Buffer.from(octets).toString('latin1')
  }
}
