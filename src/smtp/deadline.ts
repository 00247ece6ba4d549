/** A deadline that moves with every message, so it must cost next to nothing to move: the timer stays where it is and
 *  looks, when it fires, whether its time has come. It fires on time or not at all, and keeps no process alive. */
export class Deadline {
  readonly #expired: () => void
  #at = Infinity
  /** What was left when it was paused. */
  #left = Infinity
  #timer: NodeJS.Timeout | undefined
  #firesAt = Infinity

  constructor(expired: () => void) {
    this.#expired = expired
  }

  /** Expires in `ms` milliseconds, unless set or cleared before. */
  set(ms: number): void {
    this.#at = performance.now() + ms
    if (this.#at < this.#firesAt) this.#arm(ms)
  }

  clear(): void {
    this.#at = Infinity
  }

  /** Stops the clock until `resume`. */
  pause(): void {
    this.#left = this.#at - performance.now()
    this.#at = Infinity
  }

  resume(): void {
    if (this.#left !== Infinity) this.set(this.#left)
  }

  dispose(): void {
    this.#at = Infinity
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#firesAt = Infinity
  }

  #arm(ms: number): void {
    clearTimeout(this.#timer)
    // setTimeout takes no more than 2^31 - 1 ms and would fire at once.
    const wait = Math.min(Math.ceil(ms), 2 ** 31 - 1)
    this.#firesAt = performance.now() + wait
    this.#timer = setTimeout(() => this.#look(), wait)
    this.#timer.unref()
  }

  #look(): void {
    this.#timer = undefined
    this.#firesAt = Infinity
    if (this.#at === Infinity) return
    const left = this.#at - performance.now()
    if (left > 0.5) return this.#arm(left)
    this.#at = Infinity
    this.#expired()
  }
}
