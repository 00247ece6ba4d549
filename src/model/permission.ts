/** What a token may do, in the original's words: `Email Sending:Edit` is "Email Sending: Edit" (newer-facts.md). */
export const PERMISSIONS = [
  'Account Settings:Read',
  'Account Settings:Edit',
  'Analytics:Read',
  'Analytics:Edit',
  'Email Routing Addresses:Read',
  'Email Routing Addresses:Edit',
  'Email Routing Rules:Read',
  'Email Routing Rules:Edit',
  'Email Sending:Read',
  'Email Sending:Edit',
  'Workers:Read',
  'Workers:Edit',
  'Zone DNS:Read',
  'Zone DNS:Edit',
] as const

export type Permission = (typeof PERMISSIONS)[number]
