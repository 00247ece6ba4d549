// `EmailMessage` of `cloudflare:email`, which plain workerd leaves to whoever embeds it.

/** Where a message keeps what it was made from; `encode-message.js` reads it. */
const RAW = Symbol.for('posthorn.raw')

// oxlint-disable-next-line typescript/no-extraneous-class -- its name and form are the original's
export class EmailMessage {
  constructor(from, to, raw) {
    if (arguments.length < 3)
      throw new TypeError('EmailMessage takes a sender, a recipient and the raw message')
    this.from = from
    this.to = to
    Object.defineProperty(this, RAW, { value: raw })
  }
}

export default { EmailMessage }
