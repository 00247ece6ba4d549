import { startForwarding } from './forwarding.ts'
import { watchMemory } from './memory-watch.ts'
import { withLastWords } from './round.ts'
import { openStage, type StageOptions, type StartPeer } from './stage.ts'

/** What large messages cost that are forwarded at the same time: two waves on one instance, each message arriving whole
 *  before any of its wave goes on. */
export interface LargeRound {
  /** Of the service's processes in MB of 10^6 octets, a page that they share counted once: when the instance had started,
   *  and the most of any moment since. */
  readonly idleMb: number
  readonly mostMb: number
  /** From the first octet to the last message at the sink. */
  readonly seconds: number
  readonly lost: number
  readonly duplicated: number
  readonly refusals: readonly string[]
}

/** `connections` messages at once, of `bytes` octets each. */
export interface LargeOptions extends StageOptions {
  readonly bytes: number
}

const WAVES = 2

export async function measureLarge(options: LargeOptions): Promise<LargeRound> {
  const { bytes, connections, signal } = options
  const start: StartPeer = async (setup) => {
    const peer = await startForwarding(setup)
    return { ...peer, load: './large-load.ts', target: { ...peer.target, bytes } }
  }
  await using stage = await openStage(start, options)
  return await withLastWords(stage, signal, async () => {
    await stage.settled()
    const [pid = -1] = stage.peer.pids
    using memory = watchMemory(pid)
    const idleMb = memory.take().last
    const { load, lastAt } = await stage.run('large', WAVES * connections)
    const seconds = (lastAt - load.firstAt) / 1000
    const { refusals } = load
    return { idleMb, mostMb: memory.take().most, seconds, refusals, ...(await stage.tally()) }
  })
}
