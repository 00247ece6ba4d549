/** Elements whose content no reader sees. */
const HIDDEN: ReadonlySet<string> = new Set(['script', 'style', 'template', 'title'])

/** Elements that do not end a word: `un<b>subscribe</b>` is one. */
const PHRASING: ReadonlySet<string> = new Set(
  'a abbr b big code em font i mark s small span strong sub sup u wbr'.split(' '),
)

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
  ['nbsp', ' '],
  ['shy', ''],
  ['zwnj', ''],
])

/** The words of an HTML body, for searching and for snippets: never shown as HTML, so what it lets through harms
 *  nobody. One pass, so that the cost stays proportional to the input whatever a stranger put into it. */
export function htmlToText(html: string): string {
  const words: string[] = []
  let hidden: string | undefined
  let position = 0
  while (position < html.length) {
    const open = html.indexOf('<', position)
    const end = open === -1 ? html.length : open
    if (hidden === undefined) words.push(html.slice(position, end))
    if (open === -1) break
    const tag = readTag(html, open)
    if (tag === undefined) break
    if (hidden !== undefined) {
      if (tag.closes && tag.name === hidden) hidden = undefined
    } else if (tag.name === '<') words.push('<')
    else if (HIDDEN.has(tag.name)) hidden = tag.closes ? undefined : tag.name
    else if (!PHRASING.has(tag.name)) words.push(' ')
    position = tag.end
  }
  return decodeEntities(words.join('')).replace(/\s+/g, ' ').trim()
}

/** What starts at a `<`: a tag, a comment (without a name), or the character itself. Undefined where it never ends. */
function readTag(html: string, open: number): { name: string; closes: boolean; end: number } | undefined {
  if (html.startsWith('<!--', open)) {
    const end = html.indexOf('-->', open + 4)
    return end === -1 ? undefined : { name: '', closes: false, end: end + 3 }
  }
  const start = /^<(\/?)([a-z][a-z0-9]*|[!?])/i.exec(html.slice(open, open + 16))
  if (start === null) return { name: '<', closes: false, end: open + 1 }
  const end = html.indexOf('>', open)
  return end === -1
    ? undefined
    : { name: String(start[2]).toLowerCase(), closes: start[1] === '/', end: end + 1 }
}

function decodeEntities(text: string): string {
  return text.replace(
    /&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,8}));/gi,
    (whole, decimal?: string, hex?: string, name?: string) => {
      if (name !== undefined) return ENTITIES.get(name.toLowerCase()) ?? whole
      const point = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)
      return point > 0 && point <= 0x10ffff ? String.fromCodePoint(point) : whole
    },
  )
}
