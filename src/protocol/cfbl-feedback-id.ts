import { decodeTag, encodeTag, type TagKey } from './keyed-tag.ts'

const PURPOSE = 'cfbl-feedback-id'

/** The value of CFBL-Feedback-ID (RFC 9477 §3.2), naming the message a complaint is about. */
export function encodeCfblFeedbackId(messageId: string, key: TagKey): string {
  return encodeTag(PURPOSE, messageId, key)
}

/** The message (32 hex digits) that a CFBL-Feedback-ID names; undefined for anything not made with one of the keys. */
export function decodeCfblFeedbackId(value: string, keys: readonly TagKey[]): string | undefined {
  return decodeTag(PURPOSE, value.trim(), keys)
}
