/** Room for answers in memory, from when they are begun until whoever asked has them: who reads slowly, or not at all,
 *  asks for no more meanwhile. */
export interface AnswerRoom {
  begin(owner: string): AnswerPlace
}

/** One answer's part of it. */
export interface AnswerPlace {
  /** False where its owner has too much out already, or all together have. */
  take(characters: number): boolean
  /** To be called once the answer is out, or nothing came of it; more often does nothing. */
  free(): void
}

const MIB = 1_048_576
/** Characters: two of the longest answers. */
const MOST_OF_OWNER = 64 * MIB
const MOST = 256 * MIB

export function openAnswerRoom({ ofOwner: mostOfOwner = MOST_OF_OWNER, all: most = MOST } = {}): AnswerRoom {
  const taken = new Map<string, number>()
  let all = 0
  return {
    begin(owner) {
      let mine = 0
      return {
        take(characters) {
          const ofOwner = (taken.get(owner) ?? 0) + characters
          if (ofOwner > mostOfOwner || all + characters > most) return false
          taken.set(owner, ofOwner)
          all += characters
          mine += characters
          return true
        },
        free() {
          const left = (taken.get(owner) ?? 0) - mine
          if (left > 0) taken.set(owner, left)
          else taken.delete(owner)
          all -= mine
          mine = 0
        },
      }
    },
  }
}
