/** An expected no. Clients choose by the status and read the code; `detail` is the sentence for a person. */
export interface Fault {
  readonly status: 400 | 401 | 403 | 404 | 409 | 422 | 429 | 503
  readonly code: number
  readonly message: string
  readonly detail?: string
  /** What is behind it by a code of its own, where clients look for one. */
  readonly detailCode?: number
  /** The field that is at fault (RFC 6901). */
  readonly pointer?: string
  /** For what passes by itself (10004), seconds until another try is welcome; few where nothing is said. */
  readonly retryAfterS?: number
}
