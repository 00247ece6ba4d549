/** Milliseconds of the machine's monotonic clock. On Linux all processes share its origin, so a time taken by the
 *  generator and one taken by the sink may be subtracted, and V8 stamps its CPU profiles with it too. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
