import type { Cause } from '#model/event.ts'

/** What single providers and blocklists write, looked for in the reply as it stands. Data, not code: a row is a token
 *  that nobody else uses, what it means, and where its owner says so. Sentences that anybody might write are in the
 *  table of words. */
export interface ProviderReply {
  readonly reply: RegExp
  readonly cause: Cause
}

export const PROVIDER_REPLIES: readonly ProviderReply[] = [
  // Gmail: the page that each reply links to (support.google.com/a/answer/3726730)
  { reply: /[?&]p=(?:NoSuchUser|DomainDisabled)\b/, cause: 'recipient-unknown' },
  { reply: /[?&]p=(?:DisabledUser|AccountDisabled)\b/, cause: 'recipient-disabled' },
  { reply: /[?&]p=(?:OverQuota(?:Temp|Perm)?|OutOfStorage)/, cause: 'recipient-full' },
  { reply: /[?&]p=Receiving(?:Rate|RatePerm|RateTemp)?\b/, cause: 'recipient-rate-limited' },
  {
    reply: /[?&]p=(?:DmarcRejection|UnauthenticatedError|SpfHardFail|DkimFail|AuthReq)/i,
    cause: 'sender-authentication',
  },
  { reply: /[?&]p=(?:UnsolicitedRateLimitError|RateLimit\w*|SendingRate\w*)/, cause: 'sender-rate-limited' },
  {
    reply: /[?&]p=(?:UnsolicitedIPError|UnsolicitedMessageError|IPv6AuthError|BlockedIP)/i,
    cause: 'sender-blocked',
  },
  { reply: /[?&]p=(?:BlockedMessage|BlockedAttachment)/, cause: 'policy' },
  {
    reply: /[?&]p=(?:RfcMessageNonCompliant|MissingFrom|InvalidFrom|DuplicateHeader)/i,
    cause: 'content-malformed',
  },
  { reply: /[?&]p=(?:MaxSize\w*|SizeError)/, cause: 'content-too-large' },

  // Yahoo and AOL (senders.yahooinc.com/smtp-error-codes)
  { reply: /\[(?:TSS|TS|PH|IPTS|BL|RLY:BD|DU)\d{2}\]/, cause: 'sender-blocked' },
  {
    reply: /\[(?:CON|RTN):B\d\]|\[DYN:T1\]|\((?:HVU|CON|DNS|DYN|RLY|RTN|SND)[:_][A-Z]\d\)/,
    cause: 'sender-blocked',
  },
  { reply: /user doesn't have an? \S{1,60} account|\[-(?:5|9)\]/, cause: 'recipient-unknown' },

  // Outlook.com: S3140, S3150 and their like name the block (postmaster.live.com/pm/troubleshooting.aspx)
  { reply: /\(S3\d{3}\)|\b(?:SC|DY|OU)-00\d\b/, cause: 'sender-blocked' },
  { reply: /mailbox unavailable \(S2017062302\)/, cause: 'recipient-unknown' },
  // Exchange and Exchange Online name their resolver's verdict
  {
    reply:
      /RESOLVER\.ADR\.(?:Recip(?:ient)?NotFound|ExRecipNotFound|BadPrimary|InvalidInSmtp)|SMTPSEND\.DNS\.(?:NonExistentDomain|MxLoopback)/i,
    cause: 'recipient-unknown',
  },
  { reply: /RESOLVER\.ADR\.(?:Ambiguous|Invalid)/i, cause: 'recipient-refused' },
  {
    reply:
      /RESOLVER\.RST\.(?:NotAuth|AuthRequired|RestrictedToRecipientsPermission|SendOverDLSizeLimit)|RESTRICTED/,
    cause: 'sender-refused',
  },
  { reply: /RESOLVER\.RST\.(?:RecipSizeLimit|SendSizeLimit)/i, cause: 'content-too-large' },
  {
    reply:
      /STOREDRV\.Deliver[;:.].{0,60}(?:QuotaExceeded|mailbox (?:is )?full|STOREDRV\.Deliver\.Exception:QuotaExceeded)/i,
    cause: 'recipient-full',
  },
  {
    reply: /STOREDRV\.Deliver.{0,80}(?:thread limit|Throttl|receiving too many)/i,
    cause: 'recipient-rate-limited',
  },
  {
    reply: /STOREDRV\.Deliver.{0,60}(?:AccountDisabled|mailbox disabled)|SmtpResponse.{0,20}MailboxDisabled/i,
    cause: 'recipient-disabled',
  },
  { reply: /QUEUE\.Expired/i, cause: 'expired' },
  { reply: /ROUTING\.NoConnectorForAddressType|ROUTING\.SizeLimit/i, cause: 'system' },
  { reply: /TRANSPORT\.RULES\.Reject/i, cause: 'policy' },

  // Orange and Wanadoo (postmaster.orange.fr)
  { reply: /\bOFR_?(?:004_)?(?:104|109)\b/i, cause: 'sender-rate-limited' },
  {
    reply: /\bOFR(?:004|006)_\d{3}\b|\bOFR_(?:102|105|108|417|433|434|435|997|999)\b/i,
    cause: 'sender-blocked',
  },
  { reply: /\bOFR_(?:416|415|418)\b/i, cause: 'recipient-unknown' },
  { reply: /\bOFR(?:005)?_(?:506|5\d\d)\b/i, cause: 'content-spam' },

  // Cox (AUP#…) and Spectrum (AUP#In-… ) name their rule
  { reply: /AUP#(?:CXRCPT|CXNUR)\b/, cause: 'recipient-unknown' },
  { reply: /AUP#(?:CXCNCT|CXMXRT|CDRBL.{0,4}RATE|In-\d*13[1-9]0|O-1[1-3]\d0)/, cause: 'sender-rate-limited' },
  { reply: /AUP#(?:CXDNS|CXPTR|In-1010)/, cause: 'sender-dns' },
  { reply: /AUP#/, cause: 'sender-blocked' },

  // Comcast: postmaster.comcast.net/smtp-error-codes.php
  { reply: /\bRL0000\d{2}\b/, cause: 'sender-rate-limited' },
  { reply: /\b(?:BL0000\d{2}|PH0000\d{2})\b/, cause: 'sender-blocked' },

  // Apple iCloud Mail: [CS01] policy, [HM08] reputation, [HME1] its hidden addresses
  { reply: /\[CS\d{2}\]/, cause: 'policy' },
  { reply: /\[HM\d{2}\]/, cause: 'sender-blocked' },

  // Facebook: postmaster.facebook.com/response_codes
  { reply: /\bRCP-P1\b/, cause: 'recipient-unknown' },
  { reply: /\b(?:RCP-P[23]|INT-P[16])\b/, cause: 'recipient-refused' },
  { reply: /\b(?:RCP-T\d|CON-T\d|POL-T\d)\b/, cause: 'sender-rate-limited' },
  { reply: /\b(?:POL-P[1-5]|POL-P7|DNS-P[12])\b/, cause: 'sender-blocked' },

  // GMX, web.de, 1&1: the link names the rule
  {
    reply: /(?:gmx|web|1and1|ionos)\.\w{2,3}\/\S{0,80}(?:c=bip|c=bl|c=rblack|block)/i,
    cause: 'sender-blocked',
  },
  {
    reply: /(?:gmx|web|1and1|ionos)\.\w{2,3}\/\S{0,80}c=(?:hi|spf|dmarc)\b/i,
    cause: 'sender-authentication',
  },

  // QQ and Tencent Exmail, NetEase 163 (help.163.com): what their codes say in words as well
  { reply: /\bMI:(?:SPB|IPB|BLU|STC|HEC|QLM|QWM|DMA|NHF)\b/, cause: 'sender-blocked' },
  { reply: /\bDT:(?:SPM|SUM|SPB)\b/, cause: 'content-spam' },
  { reply: /\bRP:(?:CEL|QRC|TRC)\b|\bMI:(?:CEL|DMC|CCL|FRL)\b/, cause: 'sender-rate-limited' },

  // Blocklists by their own names
  {
    reply:
      /\b(?:spamhaus|spamcop|sorbs|barracudacentral|abuseat|surbl|uribl|uceprotect|senderbase|senderscore|mailspike|invaluement|psbl|dnswl|nixspam|backscatterer|truncate\.gbudb|ipcheck\.proofpoint|dnsbl-lookup|csi\.cloudmark|trendmicro\.com\/reputation|ers\.trendmicro)\b/i,
    cause: 'sender-blocked',
  },
]
