import type { ClaimedDelivery } from '#outbound/queue/claimed-delivery.ts'
import { laneOf } from '#outbound/queue/claimed-delivery.ts'
import { type Lane, laneKey } from '#outbound/queue/lane.ts'

/** The deliveries in this process's hands, and how many more it takes. Bounded in number and in octets, and shared out
 *  so that no number of slow lanes leaves nothing for the others (promise 4). */
export interface HeldDeliveries {
  /** How many more of this lane; what does not fit waits in the store. */
  room(lane: Lane): number
  /** Takes it in. Out: the same, without its content where the memory for contents is used up. */
  hold(delivery: ClaimedDelivery): ClaimedDelivery
  has(claim: Claim): boolean
  readonly size: number
  /** When it was taken in, ms. */
  since(claim: Claim): number
  release(delivery: ClaimedDelivery): void
}

/** A delivery may come back under another claim before this process has learned that it lost the first. */
type Claim = Pick<ClaimedDelivery, 'id' | 'claimToken'>

/** A lane begins with as many as a message has recipients and may hold one more for each that left, so that a lane
 *  which does not move holds little. */
const FIRST_OF_LANE = 50
const MOST_OF_LANE = 500
/** However many lanes there are, each gets as many. */
const LEAST_OF_LANE = 4
/** From here on only the least is given. */
const MOST = 20_000
/** What a lane may hold of what is free. */
const SHARE = 1 / 16
const MOST_CONTENT_BYTES = 128 * 1024 * 1024

interface HeldLane {
  count: number
  most: number
  /** Was told that there is no more room, and is to be asked again when there is. */
  full: boolean
}

/** `roomAgain` is called when a lane that had no room has some again. The numbers are aims: promises that are being
 *  committed while they are read may pass them by as many. */
export function holdDeliveries(now: () => number, roomAgain: () => void): HeldDeliveries {
  const held = new Map<string, { readonly since: number; readonly content: Buffer | undefined }>()
  /** Contents in memory, each once however many recipients share it, and by how many it is held. */
  const contents = new Map<Buffer, number>()
  const lanes = new Map<string, HeldLane>()
  let bytes = 0
  let starved = false

  function mostOf(lane: HeldLane | undefined): number {
    if (held.size >= 2 * MOST) return 0
    const share = Math.floor((MOST - held.size) * SHARE)
    return Math.max(LEAST_OF_LANE, Math.min(lane?.most ?? FIRST_OF_LANE, share))
  }

  function keep(content: Buffer): boolean {
    const holders = contents.get(content) ?? 0
    if (holders === 0 && bytes + content.length > MOST_CONTENT_BYTES) return false
    if (holders === 0) bytes += content.length
    contents.set(content, holders + 1)
    return true
  }

  function letGo(content: Buffer): void {
    const holders = contents.get(content) ?? 0
    if (holders > 1) contents.set(content, holders - 1)
    else if (contents.delete(content)) bytes -= content.length
  }

  return {
    room(lane) {
      const there = lanes.get(laneKey(lane))
      const room = Math.max(0, mostOf(there) - (there?.count ?? 0))
      if (room === 0 && there) there.full = true
      if (room === 0 && !there) starved = true
      return room
    },
    hold(delivery) {
      const { content, ...withoutContent } = delivery
      // One that is streamed is in nobody's memory.
      const fits = Buffer.isBuffer(content) ? keep(content) : content !== undefined
      held.set(nameOf(delivery), {
        since: now(),
        content: Buffer.isBuffer(content) && fits ? content : undefined,
      })
      const key = laneKey(laneOf(delivery))
      const lane = lanes.get(key) ?? { count: 0, most: FIRST_OF_LANE, full: false }
      lanes.set(key, lane)
      lane.count++
      if (lane.count >= mostOf(lane)) lane.full = true
      return fits ? delivery : withoutContent
    },
    has: (claim) => held.has(nameOf(claim)),
    get size() {
      return held.size
    },
    since: (claim) => held.get(nameOf(claim))?.since ?? now(),
    release(delivery) {
      const known = held.get(nameOf(delivery))
      const key = laneKey(laneOf(delivery))
      const lane = lanes.get(key)
      if (!known || !lane) return
      held.delete(nameOf(delivery))
      if (known.content) letGo(known.content)
      lane.count--
      lane.most = Math.min(MOST_OF_LANE, lane.most + 1)
      if (lane.count === 0) lanes.delete(key)
      if (!(lane.full && lane.count <= mostOf(lane) / 2) && !starved) return
      lane.full = false
      starved = false
      roomAgain()
    },
  }
}

function nameOf({ id, claimToken }: Claim): string {
  return `${id} ${claimToken}`
}
