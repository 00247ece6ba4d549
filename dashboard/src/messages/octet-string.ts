const PIECE = 32_768

/** One character for each octet, whatever it is; what TextDecoder calls latin1 is not that. */
export function octetString(octets: Uint8Array): string {
  const pieces: string[] = []
  for (let at = 0; at < octets.length; at += PIECE)
    pieces.push(String.fromCharCode(...octets.subarray(at, at + PIECE)))
  return pieces.join('')
}
