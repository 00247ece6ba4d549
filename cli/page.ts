/** What people read. `width` is the terminal's, undefined where the text goes elsewhere. */
export interface Page {
  readonly now: number
  readonly width: number | undefined
}

export function page(stream: NodeJS.WriteStream = process.stdout): Page {
  return { now: Date.now(), width: stream.isTTY ? stream.columns : undefined }
}
