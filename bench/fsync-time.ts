import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { monotonicMs } from './clock.ts'

const ROUNDS = 50
/** About what a small group of commits appends to a write-ahead log. */
const BYTES = 16 * 1024

/** Median milliseconds that this disk takes to have 16 KiB appended safely: the other yardstick beside the RSA rate,
 *  for what is on disk before it is answered. Blocks for fifty of them. */
export function fsyncTime(folder: string): number {
  const path = join(folder, 'fsync-time')
  const file = openSync(path, 'w')
  try {
    const times = Array.from({ length: ROUNDS }, () => {
      const startedAt = monotonicMs()
      writeSync(file, Buffer.alloc(BYTES, 'x'))
      fdatasyncSync(file)
      return monotonicMs() - startedAt
    })
    return times.sort((a, b) => a - b)[ROUNDS / 2] ?? 0
  } finally {
    closeSync(file)
    rmSync(path)
  }
}
