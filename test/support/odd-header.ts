import * as fc from 'fast-check'

const name = fc.constantFrom(
  'To',
  'CC',
  'subject',
  'Date',
  'Message-ID',
  'References',
  'List-Id',
  'Comments',
  'Keywords',
  'X-A',
  'Received',
  'Sender',
)
const piece = fc.constantFrom(
  'a',
  'Bc',
  ' ',
  '  ',
  '\t',
  ' \t',
  '\r\n ',
  '\r\n\t ',
  ':',
  ';',
  '=',
  'b=',
  '\xe9',
  '.',
)
const value = fc
  .array(piece, { maxLength: 12 })
  .map((pieces) => pieces.join('').replace(/(?:\r\n[ \t]+)+$/, ''))

/** Up to twelve fields of a header, oddly spaced and folded, each with its final CRLF: what signing may stumble over. One
 *  character for each octet. */
export const oddHeader: fc.Arbitrary<string> = fc
  .array(fc.tuple(name, value), { maxLength: 12 })
  .map((fields) => fields.map(([name, value]) => `${name}:${value}\r\n`).join(''))
