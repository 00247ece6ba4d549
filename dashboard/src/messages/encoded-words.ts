import { decodeCharset } from './mail-headers.ts'

/** Encoded words as what they stand for (RFC 2047); what is none stays. */
export function decodeWords(text: string): string {
  return text
    .replaceAll(/(=\?[^?\s]+\?[bq]\?[^?\s]*\?=)\s+(?==\?[^?\s]+\?[bq]\?[^?\s]*\?=)/gi, '$1')
    .replaceAll(
      /=\?([^?*\s]+)(?:\*[^?\s]*)?\?([bq])\?([^?\s]*)\?=/gi,
      (whole, charset: string, kind: string, coded: string) => {
        const octets = kind.toLowerCase() === 'b' ? fromBase64(coded) : fromQ(coded)
        return octets ? decodeCharset(octets, charset) : whole
      },
    )
}

function fromBase64(coded: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(coded), (character) => character.charCodeAt(0))
  } catch {
    return undefined
  }
}

function fromQ(coded: string): Uint8Array<ArrayBuffer> {
  const text = coded
    .replaceAll('_', ' ')
    .replaceAll(/=([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Uint8Array.from(text, (character) => character.charCodeAt(0) & 0xff)
}
