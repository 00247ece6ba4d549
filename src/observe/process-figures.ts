import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { MetricFamilies } from './metric-families.ts'

/** Between two looks of Node at its own loop. */
const RESOLUTION_MS = 50
const NS = 1e9

/** What the process itself is like. */
export function watchProcess({ gauge, counter }: Pick<MetricFamilies, 'gauge' | 'counter'>): void {
  const loop = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  loop.enable()
  gauge({
    name: 'event_loop_delay_seconds',
    help: 'How late the event loop was since this page was last read, by share of the looks (0.5, 0.99, 1). Above 0.1 at 0.99: the process has more to do than a core does; add nodes, or cores for its threads.',
    labels: ['share'],
  })(() => {
    // Node counts from one look to the next: what is above the time between them was late.
    const late = (ns: number) => (Number.isFinite(ns) ? Math.max(0, ns / NS - RESOLUTION_MS / 1000) : 0)
    const readings = [
      { labels: { share: '0.5' }, value: late(loop.percentile(50)) },
      { labels: { share: '0.99' }, value: late(loop.percentile(99)) },
      { labels: { share: '1' }, value: late(loop.max) },
    ]
    loop.reset()
    return readings
  })
  gauge({
    name: 'memory_bytes',
    help: 'Memory of this process, by kind (resident, heap, buffers). Growing for hours under the same load: report it, and restart.',
    labels: ['kind'],
  })(() => {
    const { rss, heapUsed, arrayBuffers } = process.memoryUsage()
    return [
      { labels: { kind: 'resident' }, value: rss },
      { labels: { kind: 'heap' }, value: heapUsed },
      { labels: { kind: 'buffers' }, value: arrayBuffers },
    ]
  })
  const cpu = counter({
    name: 'cpu_seconds_total',
    help: 'Processor time of this process with its threads, without Workers. A rate near the number of cores: it is at its limit.',
    labels: [],
  })
  let counted = 0
  gauge({
    name: 'start_time_seconds',
    help: 'When this process started, in seconds since 1970. Changing often: it crashes, look at the log.',
    labels: [],
  })(() => {
    const { user, system } = process.cpuUsage()
    const seconds = (user + system) / 1e6
    cpu({}, seconds - counted)
    counted = seconds
    return [{ labels: {}, value: Math.round(Date.now() / 1000 - process.uptime()) }]
  })
}
