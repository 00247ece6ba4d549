/** POSTHORN_MX_BLOCK_LISTS: lists with commas between them, each `zone`, `label:zone` where the zone holds a key that
 *  strangers must not see, or `zone=2-4;10` where only some of the answers 127.0.0.x count. */
export interface BlockListSetting {
  readonly label: string
  readonly zone: string
  readonly codes?: readonly (readonly [from: number, to: number])[]
}

export const BLOCK_LISTS =
  'DNS block lists, comma-separated, such as zen.spamhaus.org=2-11,abusixip:KEY.combined.mail.abusix.zone'

const LIST =
  /^(?:([A-Za-z0-9_.-]{1,63}):)?((?=.{1,200}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,62})\.)+[a-z0-9-]{1,63})(?:=([0-9;-]+))?$/i
const RANGE = /^(\d{1,3})(?:-(\d{1,3}))?$/

/** Undefined for what is no such text. */
export function parseBlockLists(text: string): readonly BlockListSetting[] | undefined {
  const lists = text.split(',').map((list) => parseList(list.trim()))
  return lists.every((list) => list !== undefined) ? lists : undefined
}

function parseList(text: string): BlockListSetting | undefined {
  const [, label, zone, ranges] = LIST.exec(text) ?? []
  if (zone === undefined) return undefined
  const named = { label: label ?? zone, zone: zone.toLowerCase() }
  if (ranges === undefined) return named
  const codes = ranges.split(';').map(parseRange)
  return codes.every((range) => range !== undefined) ? { ...named, codes } : undefined
}

function parseRange(text: string): readonly [number, number] | undefined {
  const [, first, last = first] = RANGE.exec(text) ?? []
  const [from, to] = [Number(first), Number(last)]
  return from >= 2 && from <= to && to <= 255 ? [from, to] : undefined
}
