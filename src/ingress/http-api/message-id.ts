/** A message as a client names it. */
export interface MessageId {
  /** 32 hex digits. */
  readonly id: string
  /** The whole header, where the client gave it. */
  readonly header: string | undefined
}

/** A Message-ID as `send` answered it, with or without its angle brackets, or its part before the @. */
export function readMessageId(text: string): MessageId | undefined {
  const [, id, domain] = /^<?([0-9a-f]{32})(@[^\s<>@]{1,253})?>?$/i.exec(text) ?? []
  if (id === undefined) return undefined
  return { id: id.toLowerCase(), header: domain === undefined ? undefined : `<${id}${domain}>`.toLowerCase() }
}
