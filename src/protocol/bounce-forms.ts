/** How hosts that do not write RFC 3464 say what they say. Data only: each row is one form, with the software it was
 *  seen in. The patterns are read one line, one subject or one notice at a time and never span more than a sentence. */

/** Lines after which a notice quotes the message that it returns. */
export const ORIGINAL_STARTS: readonly RegExp[] = [
  // qmail, Yahoo: `--- Below this line is a copy of the message.`; Exim: `------ This is a copy of the message, …`
  /^[-=*_ ]{0,40}(?:below (?:this line )?is|this is|enclosed is|included is|here is|following is) (?:a|the) (?:copy|text) of (?:the|your) /i,
  // Gmail: `----- Original message -----`; 1&1: `--- The header of the original message is following. ---`
  /^[-=*_ ]{2,40}(?:the )?(?:header of the )?(?:original|returned|unsent|undelivered|rejected|failed) (?:message|mail|e-?mail)/i,
  // DragonFly: `Message headers follow.`, `Original message follows.`; Exchange: `Original message headers:`
  /^(?:the )?(?:original |returned |your )?message(?: headers?| text| body)? (?:follows?|headers?:|is (?:attached|below|following))/i,
  // sendmail 5: `----- Unsent message follows -----`, `----- Message header follows -----`
  /^[-=*_ ]{2,40}.{0,40}\b(?:message|header|mail)s? (?:follows|is following)/i,
  // mFILTER: `-------original message`; Notes: `------- Returned Message --------`
  /^[-=*_ ]{3,40}(?:original|returned|source) (?:message|mail|headers?)/i,
  // InterScan: `******* End of message *******`
  /^[-=*_ ]{5,60}end of message/i,
  // A header itself, whatever stands before it. Courier and many others put no sentence there.
  /^(?:received|return-path|delivered-to|x-received|dkim-signature|arc-seal|x-google-dkim-signature|domainkey-signature)\s{0,4}:/i,
]

/** Subjects under which mail comes back. */
export const BOUNCE_SUBJECTS: readonly RegExp[] = [
  /undeliver(?:able|ed)|un[- ]?deliverable|non[- ]?deliver(?:y|able)|not[- ]deliver(?:ed|able)|nondeliverable/i,
  /deliver(?:y|ing)? (?:status )?(?:notification|report|failure|failed|error|problem|has failed|delayed|attempt)/i,
  /(?:mail|message|e-?mail|delivery) (?:delivery |system |status )?(?:fail(?:ed|ure)|error|problem|has failed|delayed|refused|rejected)/i,
  /return(?:ed|ing) (?:mail|message|e-?mail|to sender)|failure notice|mail failure|fail(?:ed|ure) (?:to deliver|delivery|mail|notice|notification)/i,
  /could ?n[o']t (?:be delivered|send)|cannot be delivered|unable to (?:deliver|send)|error sending your mail|message you sent|warning: (?:message|could not)|bounce/i,
  // German, French, Spanish, Portuguese, Italian
  /unzustellbar|nicht zustellbar|zustellung.{0,20}fehl|non remis|non distribu|échec.{0,20}(?:remise|livraison|distribution)|no se (?:ha )?(?:puede|pudo|podido) entregar|no entregado|não (?:foi )?(?:entregue|pode ser)|mancata consegna|impossibile recapitare/i,
  // Japanese, Russian, Chinese, Korean
  /配信.{0,8}(?:エラー|失敗|不能|できません)|送信.{0,6}(?:エラー|失敗)|メールを配送でき|不達|宛先不明|エラー通知|не (?:доставлено|может быть доставлено)|недоставленн|退信|投递失败|无法投递|退回|배달 ?실패|전송 ?실패/i,
]

/** What a notice says of a message that did not get through, in any of its lines. */
export const BOUNCE_SENTENCES: readonly RegExp[] = [
  /(?:could|can|will|was|were|did|is|has|have) ?(?:not|n't|n’t) (?:be |been )?(?:deliver|reach|sent|able to deliver|accept|process)/i,
  /unable to (?:deliver|send|relay|process)|undeliver(?:able|ed)|deliver(?:y|ing).{0,60}(?:fail|error|problem|not possible|impossible|trouble|delayed)|trouble deliver/i,
  /(?:address|recipient)(?:\(?e?s\)?)?.{0,40}(?:fail|reject|had (?:delivery|permanent|problem)|not (?:found|exist)|affected)|permanent (?:fatal )?error|fatal error/i,
  /(?:error|problem|trouble|failure) .{0,40}(?:deliver|sending|occurred)|fail(?:ed|ure) .{0,30}(?:deliver|to deliver|reason|permanent)|returned (?:permanent )?error/i,
  /(?:message|mail) .{0,60}(?:rejected|refused|returned|bounced|is delayed|has been delayed|was blocked)|(?:rejected|refused) by|transcript of session/i,
  /\b(?:said|responded|returned|respuesta|réponse|reason|error|diagnostic)\b.{0,40}\b[45][0-57]\d\b|\b5\.[0-7]\.\d{1,3}\b/i,
  /送信でき|配送でき|配信でき|失敗|エラー|не может быть доставлено|nicht zugestellt|n'a pas pu|no se pudo|não pôde|无法|失败/i,
]

/** That a message is late, not lost. */
export const DELAY_SENTENCES: readonly RegExp[] = [
  /(?:will|is|are|be) (?:be )?(?:still )?(?:retr(?:y|ied|ying)|keep(?:s|ing)? (?:on )?(?:re)?try(?:ing)?|continue to (?:be )?(?:try|retr|attempt)|trying to deliver)/i,
  /do not need to re-?send|no (?:further )?action is (?:needed|required) (?:on|from) your|(?:delivery )?attempts? will continue|temporary failure report|only a warning|warning message only|this is a warning/i,
  /(?:has been|is|was|been) (?:temporarily )?delayed|delivery (?:to .{0,60} )?(?:has been |is |was )?delayed|not yet been delivered|queued on .{0,60} for more than/i,
  /temporarily delayed|verzögert|retardé|en retard|retras|遅延|遅れて|задержан/i,
]

/** That nobody tries any longer, whatever else the text says of retries. */
export const FINAL_SENTENCES: readonly RegExp[] = [
  /permanent(?:ly)? (?:fatal )?(?:error|fail)|fail(?:ed|ure) permanently|giv(?:en|ing) up|not going to try again|no (?:further|more) (?:delivery )?attempts?|too long|has failed|message expired|retry time(?:out)? exceeded|could not be delivered/i,
]

/** Words before an address that make it the recipient the notice speaks of. */
export const BEFORE_RECIPIENT =
  /(?:recipients?(?: address(?:es)?)?|address(?:es)?|rcpt(?: |_)to|deliver(?:y|ed|ing|able)?(?: (?:of )?(?:your |the )?(?:mail|message|e-?mail))?(?: to)?|message to|mail to|sent to|reach(?:ed)?|user|mailbox|account|permanent errors|destination|envelope-to|group|to)(?: (?:was|is|were|are|failed|of|named|called))?[\s:;="'([<-]{1,6}$/i

/** Mailboxes that notices name for other reasons: whom to ask, who speaks. */
export const NOT_A_RECIPIENT =
  /^(?:postmaster|mailer-?daemon|mail-?daemon|abuse|support|help(?:desk)?|hostmaster|admin(?:istrator)?|webmaster|noc|no-?reply)@/i

/** Whose mail this is, by the sender's name or address. */
export const DAEMON =
  /mailer[-_. ]?daemon|post ?master|mail (?:delivery|deliver|system|server|administrator)|mailsystem|mail-?daemon|e-?mail system|delivery (?:subsystem|system|service|reports?)|system administrator|no-?reply@sns\.|bounce[sd]?@|mdaemon|interscan|auto-?notification/i

/** Subjects of mail that answers by itself. */
export const AUTO_REPLY_SUBJECTS: readonly RegExp[] = [
  /^(?:re: ?|fwd?: ?){0,2}\[?(?:auto(?:matic|mated|matische)?[- ]?(?:reply|response|responder|antwort|generated)|out of (?:the )?office|ooo\b|vacation|away (?:from|until|notice)|on (?:vacation|holiday|leave)|i(?:'m| am) (?:away|out of|on))/i,
  /abwesen|réponse automatique|absence du bureau|respuesta automática|fuera de (?:la )?oficina|resposta automática|risposta automatica|automatisch antwoord|automatisk svar|自動(?:返信|応答)|不在(?:通知|のお知らせ)|автоответ|自动(?:回复|答复)|부재중/i,
  /(?:confirm|verify) your (?:e-?mail|message|address)|challenge.?response|thank you for (?:your (?:e-?mail|message)|contacting)|report domain: .{0,255} submitter:/i,
]
