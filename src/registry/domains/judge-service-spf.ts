import { BlockList, isIPv6 } from 'node:net'
import { isSpfText, parseSpf, SPF_LOOKUPS } from '#protocol/spf-record.ts'
import type { SpfLookups } from './count-spf-lookups.ts'
import { type About, lacking, ready, recordText, type ServiceItem } from './service-item.ts'

/** Whether the record that every customer's includes lets pass what leaves from here. `wanted`: the record as this
 *  service would publish it; `lookups`: what the one that is there costs by itself. */
export function judgeServiceSpf(
  about: About,
  { wanted, texts, lookups }: { wanted: string; texts: readonly string[]; lookups: SpfLookups | undefined },
): ServiceItem {
  const found = texts.filter(isSpfText)
  const [text] = found
  const { name } = about
  const wrong = (advice: string) => lacking(about, 'wrong', advice, found)
  if (text === undefined) {
    const advice = `Publish ${recordText('TXT', name, wanted)}: without it receivers refuse what is sent through this service.`
    return lacking(about, 'missing', advice, texts)
  }
  if (found.length > 1)
    return wrong(`Leave one SPF record at ${name}: receivers take several for none (RFC 7208 §4.5).`)
  const open = parseSpf(text)?.find((term) => term.name === 'all' && term.qualifier === '+')
  if (open)
    return wrong(
      `Put ~all in place of "all" in the SPF record of ${name}: as it is, all the world may send as your customers.`,
    )
  const absent = mechanisms(wanted).filter((one) => !mechanisms(text).some((there) => covers(there, one)))
  if (absent.length > 0)
    return wrong(`Add ${absent.join(' ')} to the SPF record of ${name}: mail leaves from there.`)
  // The include that leads here is the first (RFC 7208 §4.6.4).
  const cost = 1 + (lookups?.lookups ?? 0)
  if (cost > SPF_LOOKUPS)
    return wrong(
      `Shorten the SPF record of ${name}: with the customer's include it makes receivers ask DNS ${cost} times, and more than ${SPF_LOOKUPS} is an error.`,
    )
  return ready(about, found)
}

/** Those that let pass, in lower case and without their sign. */
function mechanisms(text: string): string[] {
  return text
    .toLowerCase()
    .split(' ')
    .slice(1)
    .map((term) => term.replace(/^\+/, ''))
    .filter((term) => term !== '' && !/^[-~?]|=|^all$/.test(term))
}

function covers(there: string, wanted: string): boolean {
  if (there === wanted) return true
  const wide = rangeOf(there)
  const narrow = rangeOf(wanted)
  if (!wide || !narrow || wide.family !== narrow.family || wide.bits > narrow.bits) return false
  const list = new BlockList()
  list.addSubnet(wide.address, wide.bits, wide.family)
  return list.check(narrow.address, narrow.family)
}

/** RFC 7208 §5.6. */
function rangeOf(mechanism: string) {
  const [, address = '', length] = /^ip[46]:([0-9a-f.:]+)(?:\/(\d{1,3}))?$/.exec(mechanism) ?? []
  if (address === '') return undefined
  const six = isIPv6(address)
  const most = six ? 128 : 32
  const bits = length === undefined ? most : Number(length)
  return bits > most ? undefined : { address, bits, family: six ? ('ipv6' as const) : ('ipv4' as const) }
}
