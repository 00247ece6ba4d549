/** What was said on one connection, for the timelines of the deliveries that it carried: each gets what was said since
 *  the last one, the first one the greeting as well. Bounded, whatever the peer says. */
export class Transcript {
  #lines: string[] = []

  readonly record = (line: string): void => {
    if (this.#lines.length < MOST_LINES)
      this.#lines.push(line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line)
  }

  take(): readonly string[] {
    const lines = this.#lines
    this.#lines = []
    return lines
  }
}

const MOST_LINES = 60
const LONGEST = 500
