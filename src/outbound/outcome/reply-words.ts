import type { Cause } from '#model/event.ts'

/** What servers write to people, in the words of no single one. The text comes in lower case on one line, without
 *  addresses, host names, links and codes, so that no name of a mailbox decides anything. The first row that matches
 *  wins: what is about the sender stands before what is about the recipient, because many sentences name both and only
 *  one mistake costs somebody their mail (promise 7). */
export interface ReplyWords {
  readonly cause: Cause
  readonly words: RegExp
  readonly unless?: RegExp
  /** Only of a failure that is or is not permanent. */
  readonly permanent?: boolean
}

/** Quotas and limits that belong to the sender, the message or the host. */
const NOT_THE_MAILBOX =
  /(?:relay|sending|sender'?s?|your|hourly|daily|outgoing|outbound|submission|rate|connection|per (?:hour|minute|day)|message rate|recipients? per|number of recipients|message (?:size|length)|system|max(?:imum)? message|server disk|insufficient (?:disk|system)) ?.{0,30}(?:quota|limit|full|storage|exceed|space)(?!.{0,40}mail ?box)/

/** Sentences in which the sender is unknown, or in which a server does not know yet. */
const UNCERTAIN =
  /\bsenders?\b|mail from|return[- ]path|temporar|try again|unverified address|verification (?:in progress|fail)|could not be verified|access denied|relay|polic(?:y|ies)|unknown (?:error|reason|mail(?:er)? error|problem|command)|(?:host|domain|server) (?:name )?(?:not found|unknown|does not exist)|\bip address|\bclient\b|your (?:ip|domain|server|host|(?:e-?mail )?address|account)|\b(?:may|might) (?:not|no|be|have)\b/

export const REPLY_WORDS: readonly ReplyWords[] = [
  // The recipient's own wishes: `blocked` and `refused` here are theirs.
  {
    cause: 'recipient-refused',
    words:
      /(?:block|reject|refus)ed by (?:the )?(?:recipient|user|addressee|mailbox owner)|(?:recipient|user|addressee) (?:has )?(?:blocked|refused|declined|is not accepting (?:mail|messages) from)|(?:due to|by) recipient(?:'s)? preferences|recipient .{0,30}only accepts? (?:mail|messages)|recipient (?:does not|doesn't|did not) (?:want|wish|allow|authori[sz]e)|user's (?:white|allow)list/,
  },
  // A full mailbox before sizes, rates and quotas of other kinds.
  {
    cause: 'recipient-full',
    words:
      /(?:mail ?box(?:es)?|inbox|mail ?drop|maildir|mail ?folder|mail ?file|post ?box|account|user|recipient|storage|disk|quota|message store)\b.{0,40}\b(?:is |are |was )?(?:full|over ?quota|exceed(?:s|ed|ing)? .{0,20}(?:quota|limit|storage|size|space|capacity)|exceeded|over (?:its |the |his |her |their )?(?:quota|limit|allowed|size)|out of (?:space|storage|quota))/,
    unless: NOT_THE_MAILBOX,
  },
  {
    cause: 'recipient-full',
    words:
      /over ?quota|quota (?:is )?(?:full|violation|limit|exceed)|exceed(?:s|ed|ing)? .{0,40}(?:quota|storage (?:allocation|limit)|mailbox|allocated (?:space|storage))|(?:not enough|insufficient|no|lack of|out of) (?:more )?(?:free |available |storage |mailbox |disk |mail )*(?:space|storage|quota|room)\b.{0,30}(?:mailbox|user|recipient|account|quota|folder|inbox)|would (?:exceed|be over) .{0,30}(?:quota|mailbox|storage)|(?:number of messages|too (?:many|much) (?:messages|mails?)) in .{0,20}(?:mailbox|inbox|folder)|(?:mailbox|recipient).{0,30}(?:no|not|in)(?:t)? ?(?:enough|sufficient) .{0,10}(?:space|storage)|mail ?box (?:space|size|limit|quota).{0,30}(?:exceed|reach|full|enough|over)|mailbox .{0,20}limit|full mailbox|maximum mailbox|mailfull|overquota/,
    unless: NOT_THE_MAILBOX,
  },
  {
    cause: 'recipient-full',
    words:
      /bo[iî]te (?:aux lettres |mail |de r[ée]ception )?.{0,20}pleine|quota (?:d[ée]pass[ée]|atteint)|postfach .{0,20}voll|mailbox .{0,10}voll|speicherplatz .{0,20}(?:voll|ersch[öo]pft|überschritten)|buz[oó]n .{0,20}lleno|cuota .{0,20}(?:excedid|superad)|caixa .{0,20}(?:cheia|lotada)|casella .{0,20}piena|skrzynka .{0,20}(?:pełna|przepełniona)|postvak .{0,10}vol|ящик .{0,20}переполнен|почтовый ящик.{0,20}полон|邮箱.{0,6}(?:已满|满)|容量.{0,10}(?:超|オーバー|不足)|メールボックス.{0,12}(?:一杯|いっぱい|容量)|사서함.{0,10}(?:가득|초과)/,
  },
  {
    cause: 'recipient-rate-limited',
    words:
      /(?:user|recipient|mailbox|account|you are trying to (?:contact|reach)).{0,60}(?:receiving|received|getting) .{0,20}(?:mail|messages|e-?mails?).{0,30}(?:at a rate|too (?:quickly|fast|many|much)|limit)|(?:recipient|mailbox|user).{0,40}(?:receiv\w{1,3}|incoming|inbound|delivery) .{0,20}(?:rate|limit|quota).{0,20}(?:exceed|reach|limit)|too many messages .{0,20}(?:for|to) (?:this|the) (?:recipient|user|mailbox)|recipient .{0,20}(?:rate|thread) limit/,
  },
  {
    cause: 'content-too-large',
    words:
      /(?:message|mail|e-?mail|msg|data|attachments?|content|body|header)s?(?:'s)? .{0,40}(?:is |was |are )?(?:too (?:large|big|long)|larger than|bigger than|exceed(?:s|ed|ing)? .{0,40}(?:size|limit|maximum|max)|over(?:-| )?size|size (?:limit|exceed|is over|violation))|(?:maximum|max|fixed|allowed|permitted) (?:allowed |permitted )?(?:message|mail|file|attachment) ?size|size (?:limit )?(?:exceed|over|restriction)|too (?:large|big)\b|oversized?|nachricht .{0,20}zu gro(?:ß|ss)|message .{0,10}trop (?:gros|volumineux)|邮件.{0,6}(?:过大|太大)/,
    unless: /mail ?box (?:size|limit|quota)/,
  },
  {
    cause: 'content-virus',
    words:
      /\bvirus(?:es)?\b|malware|infected|trojan|\bworm\b|\beicar\b|clamav|malicious (?:code|content|attachment|software)|heuristics\./,
    unless: /anti-?virus (?:and |& )?anti-?spam (?:service|gateway|system)/,
  },
  {
    cause: 'sender-dns',
    words:
      /\bptr\b|reverse[- ](?:dns|lookup|host|name|resolution|address)|\br?dns (?:record|entry) .{0,30}(?:of|for) (?:your|the sending|the client)|\brdns\b|fcrdns|forward[- ]confirmed|(?:helo|ehlo)\b.{0,60}(?:reject|invalid|not|bad|mismatch|denied|must|does|forged|fake)|(?:cannot|can't|could not|unable to) (?:find|resolve) (?:your|the) (?:reverse |sending |client )?(?:host ?name|ip|address|domain)|my name was rejected|mismatch(?:es)? .{0,20}client|client (?:host|address|ip).{0,30}(?:cannot find|does not resolve|no (?:reverse|dns))|fix (?:your )?reverse|unverified client host|generic (?:reverse|ptr|host ?name)|dynamic (?:ip|host|address)|invalid (?:helo|ehlo|hostname)|ip (?:address )?without (?:a )?(?:ptr|reverse)/,
  },
  // What is called spam, before the records that a helpful sentence may recommend.
  {
    cause: 'content-spam',
    words:
      /\bspam\b|\bspam[- ]?(?:detect|score|filter|classif|like|mail|content|message|assassin|rule|check|trap)|anti-?spam|\bube\b|\buce\b|\bjunk\b|unsolicited|phish|(?:bulk|mass) (?:e-?)?mail|(?:message|mail|e-?mail)?'?s? ?content (?:was |is |has been )?(?:reject|denied|refus|block|not (?:allowed|accept|permit)|unacceptable|filter|violat)|(?:reject|block|refus|fail)\w{0,3} .{0,20}(?:by|due to|because of) .{0,20}content|content filter|suspicious (?:content|message|mail|url|link|attachment)|looks like|(?:bad|blocked|malicious|blacklisted) (?:url|link)|mail rejete\b|high probability|bayes|message .{0,20}(?:scored|identified as|classified as|considered)|垃圾邮件|спам|迷惑メール/,
    unless:
      /(?:ip|host|address|server|network).{0,40}(?:block|black|list|reputation)|(?:block|black) ?list|dnsbl|\brbl\b|unsolicited .{0,20}from your|unusual rate/,
  },
  {
    cause: 'sender-authentication',
    words:
      /\bdmarc\b|\bspf\b|\bdkim\b|domain ?keys?|sender[- ]?id\b|\barc\b.{0,20}(?:fail|chain|seal)|unauthenticated (?:e-?mail|mail|message|sender)|(?:e-?mail|message|mail|sender|domain) .{0,30}(?:not|un) ?(?:be )?authenticated|authentication (?:check|fail|information|results?|policy)|(?:spoof|forg|impersonat|fak)(?:ed|ing|ery|e)\b|not authori[sz]ed to (?:send|use) .{0,40}(?:domain|behalf|from)|mail from .{0,20}not authorised|designat(?:ed|e) .{0,30}(?:permitted|sender)/,
  },
  {
    cause: 'sender-rate-limited',
    words:
      /too (?:many|much) (?:connections?|concurrent|simultaneous|sessions?|messages?|mails?|e-?mails?|recipients?|errors?|invalid|bad|unknown|attempts?|requests?|traffic|load|emails|hosts|in a short)|rate[- ]?(?:limit|control|exceed)|(?:limit|quota) .{0,20}(?:per (?:hour|minute|day|second|connection|session)|rate)|throttl|(?:sending|relay|hourly|daily|outgoing|outbound|submission|message|connection|recipient|session|mail|envelope) (?:rate|limit|quota|count)s?.{0,30}(?:exceed|reach|limit|over|hit)|(?:exceed|reach)\w{0,3} .{0,40}(?:rate\b|hourly|daily|relay quota|per (?:hour|minute|day)|(?:sending|connection|recipient|session|message)s? (?:limit|rate|quota|count))|unexpected volume|unusual (?:rate|volume|traffic)|sending too (?:fast|many|much|quickly)|(?:mail|messages) too (?:fast|quickly)|slow down|concurrency|maximum (?:number of )?(?:connections|recipients|sessions)|connections? .{0,20}(?:limit|exceed)|frequency|trop de (?:connexions|messages)|发信频率|频率/,
  },
  {
    cause: 'sender-blocked',
    words:
      /black ?list|block ?list|deny ?list|\bdnsbl\b|\brbl\b|\bdul\b|reputation|\bbanned\b|(?:ip|host|address|client|server|network|domain|connection|range|subnet|provider|isp)\b.{0,50}(?:is |was |been |are )?(?:temporarily |permanently |currently )?(?:block(?:ed|ing)|listed|banned|denied|prohibited|suspicious|abus)|block(?:ed|ing)? (?:using|by|at|due|because|for|-|see|from|your|on|list)|(?:has|have|been|is|are|was) (?:temporarily |permanently )?blocked\b|(?:listed|found|present) (?:in|at|on|by) (?:our |the |a |an )?.{0,30}(?:list|database|\brbl|dnsbl|bl\b)|open (?:relay|proxy)|(?:user|spam|abuse|excessive) complaints?|complaints? (?:about|from|rate)|bad (?:ip|host|sender score)|\(bl\)|(?:\bip\b|ip address|client(?: host)?|your \w+|sending \w+)(?: \S+){0,3} (?:access denied|not allowed|not (?:permitted|welcome|accepted|trusted)|rejected|refused)|(?:refuse|reject|deny|decline|not accept|don't accept|access denied)\w{0,3} .{0,20}(?:connections?|mail|messages?|e-?mail|traffic)? ?from (?:your|this|that|the sending) (?:ip|host|server|domain|network|address|system|site|location|country)|no access from mail server|not accept .{0,20}from (?:dynamic|residential)|\byour (?:ip|host|server|network|domain|mail server)\b|(?:use|through|via) (?:the |your )?(?:smtp|mail|relay) ?(?:server|relay|host)? (?:of|from|at) your (?:isp|provider)|client host rejected|connection (?:refused|rejected|denied) (?:by policy|due to|from your)|poor|untrusted|fraud/,
    unless:
      /^(?!.*\byour\b).*\b(?:account|user|mailbox|recipient)(?: is| has been| was)? (?:temporarily |currently )?(?:blocked|locked|disabled|suspended)/,
  },
  {
    cause: 'sender-refused',
    words:
      /(?:\bsenders?\b|\bmail ?from\b|\bfrom:|\bfrom (?:address|domain|header|field|e-?mail)|return[- ]path|reply-to|originator|envelope[- ]from)(?:'s)?:?.{0,60}(?:reject|denied|deny|refus|invalid|unknown|not (?:exist|found|valid|allowed|permitted|accept|authori[sz]ed|verified|resolve|known|local)|doesn't|does not|cannot|couldn't|could not|unverif|unresolv|fail|mismatch|disabled|suspended|block|bad|must|incorrect|syntax)/,
    unless: /message|spam|\bfrom (?:the )?(?:recipient|server|host|remote|local|our)/,
  },
  {
    cause: 'sender-refused',
    words:
      /(?:invalid|unknown|bad|unresolvable|non-?existent|forged|illegal|unrouteable|unverified|unauthori[sz]ed|rejected) (?:senders?|return|envelope from|from (?:address|domain|header)|mail from|originator)|domain of sender|sender verify|(?:verify|verification).{0,20}(?:sender|callout)|you (?:are|were) not (?:a |an |currently )?(?:member|subscribe|allowed|permitted|authori[sz]ed)|not (?:a |an )?(?:\w+ )?(?:list )?(?:member|subscriber)|(?:members?|subscribers?) only|only (?:list )?(?:members|subscribers|authori[sz]ed)|not (?:allowed|permitted|authori[sz]ed) to (?:post|send|e-?mail|mail|contact|write)|permissions? to post|may not (?:post|send|exist, or you)|you (?:cannot|can't|can not) send|redundant|to yourself|restricted (?:group|list|sender)|moderated|unauthenticated senders|sie nicht die erforderlichen|pas autoris[ée] [àa] (?:lui )?envoyer|no (?:tiene|tienes) permiso|não tem permissão|投稿.{0,12}(?:権限|許可)/,
  },
  {
    cause: 'relay-denied',
    words:
      /relay(?:ing)?\b.{0,40}(?:den(?:y|ied)|not (?:permitted|allowed|authori[sz]ed|possible|local)|prohibit|access|disallow|reject|forbid|attempt|block|only)|(?:unable|not able|not permitted|cannot|can't|refus\w+|denied|unauthori[sz]ed|no|not allowed) (?:to )?relay|(?:do|does|will) not relay|rcpthosts|(?:smtp )?auth(?:entication)? (?:is )?(?:required|needed|needs)|must (?:be authenticated|authenticate|log ?in|check (?:for )?(?:new )?mail)|please (?:authenticate|log ?in)|pop before smtp|not (?:a |one of our )?(?:local|gateway|hosted|handled|relay)(?: domain| here)?\b|not our domain|we don't handle mail|domain is not (?:hosted|local|handled)|not hosted here|unauthorised relay|locally.hosted/,
    unless: /user (?:is )?not local|(?:local|virtual) (?:recipient|mailbox|user|alias)/,
  },
  {
    cause: 'tls',
    words:
      /starttls|\btls\b|\bssl\b|encryption (?:is )?(?:required|needed|not)|certificate .{0,30}(?:verif|expir|invalid|mismatch|untrust|fail)|secure (?:connection|channel) (?:is )?required|requiretls|\bdane\b|mta-sts/,
  },
  {
    cause: 'greylisted',
    words:
      /gr[ea]y[- ]?list|postgrey|gr[ea]ylisted|first (?:time|attempt).{0,20}(?:sender|try|delivery)|please (?:re)?try (?:again )?in \d/,
    permanent: false,
  },
  {
    cause: 'content-malformed',
    words:
      /bare (?:cr|lf|line ?feeds?|newline|carriage)|rfc[- ]?(?:2?822|5321|5322|2821|2045|1652)\b(?!;)|(?:missing|no|invalid|bad|malformed|duplicate|multiple|illegal|improper|empty|required|unacceptable|non-?compliant) .{0,20}(?:headers?|message-id|from:|from field|date field)|header (?:error|is missing|missing|field)|headers? .{0,30}(?:missing|invalid|malformed|not (?:valid|compliant|rfc)|violat|unacceptable)|multiple addresses|media (?:error|not supported|type)|8-?bit|mime (?:error|format|structure|not)|lines? (?:is |are )?too long|conversion (?:required|fail|not)|malformed|attachments? .{0,30}(?:not allowed|type|prohibit|block|forbidden|reject|illegal|denied)|(?:blocked|prohibited|forbidden|illegal|dangerous|executable) (?:attachment|file)|non-?compliant|not compliant/,
    unless: /name server/,
  },
  {
    cause: 'loop',
    words:
      /hop count|too many (?:hops|received)|(?:mail|routing|forwarding|mailer|delivery) ?loop|loop(?:s|ing)? (?:back|detected|to myself)|maximum hop|duplicated message-id|loop alert/,
  },
  // Names that cannot be looked up now, before names that do not exist.
  {
    cause: 'dns',
    words:
      /(?:host|domain|hostname|name service|lookup|dns|mx)\b.{0,60}(?:(?:found|lookup|resolv\w*|known),? ?(?:please )?try again|servfail|temporary (?:dns|name|lookup|resol)|lookup timed? ?out|(?:lookup|resolution|resolver|query) (?:fail|error|time)|had no relevant answers|non-?recoverable)|temporar\w* .{0,30}(?:lookup|dns|name (?:service|resolution|server)|resol)|servfail|dns (?:error|fail|server|timeout|problem|misconfig)/,
    unless:
      /nxdomain|null mx|(?:host|domain) (?:name )?(?:or domain name )?(?:not found|unknown|does not exist)(?!,? ?try)/,
  },
  {
    cause: 'recipient-domain-closed',
    words:
      // The first is what Postfix says of a null MX that it does not know.
      /malformed or unexpected name server reply|null ?mx|no smtp service|(?:host|domain|server|system|site|recipient domain|address) (?:\S{0,60} )?(?:does not|doesn't|do not|will not|never|cannot) (?:accept|receive|handle|take) (?:any )?(?:e-?mails?|mails?|messages?|smtp|incoming)|no (?:valid |relevant )?(?:mx|mail exchange\w*|mail server|mail service)|(?:find|found|locate) (?:a |any )?(?:mail exchange|mx)|smtp .{0,20}(?:not (?:offered|provided|supported)|disabled) .{0,20}(?:here|host|domain)|all relevant mx|no host found|this (?:host|server|domain) (?:is )?(?:send-only|not used for (?:e-?)?mail)/,
    unless:
      /\bsender|your (?:domain|host|mail)|accept (?:e-?mails?|mails?|messages?) (?:from|for (?:that|this))/,
  },
  {
    cause: 'recipient-domain-unknown',
    words:
      /(?:host|domain|dns|name service|hostname|destination|name or service)(?: name| or domain name| part| lookup)?\b.{0,50}(?:not found|unknown|does(?: not|n't) exist|non-?existent|nxdomain|invalid|not known|no such|unresolvable|cannot be resolved|not exist)|no such (?:domain|host|destination)|(?:unknown|invalid|illegal|bad|non-?existent|unresolvable|unrouteable) (?:(?:mail|remote|destination|recipient|target) )?(?:domain|host|destination|hostname|system address)|nxdomain|(?:couldn't|could not|cannot|can't|unable to) (?:find|resolve|lookup|locate) (?:any |the |a )?(?:host|domain|hostname|ip|server|mail server)|unrouteable mail domain|no route to domain|account or domain may not exist|domain .{0,40}(?:expired|parked|not registered)/,
    unless:
      /try again|temporar|(?:user|recipient|mailbox|account|alias|group)(?: name)? (?:is )?(?:unknown|not found|not exist)|host (?:is )?unreachable|\b[eh][he]lo\b|\bsender|mail from|from:|your (?:ip|domain|server|host|address)|\bclient\b/,
  },
  {
    cause: 'recipient-moved',
    words:
      /(?:user|mailbox|recipient|address|account|person|employee|he|she)\b.{0,40}(?:has |have |is |was )?(?:moved|changed|relocated|left (?:the|our))|no longer (?:at|with|works?|work(?:s|ing) (?:at|for|here)|employed|here|associated)|new (?:e-?mail )?address (?:is|:)|has moved|please (?:try|use|send to) .{0,20}(?:new|other|forward)|user not local; (?:please )?try/,
  },
  {
    cause: 'recipient-disabled',
    words:
      /(?:user|recipient|mail ?box|account|address|alias|inbox|customer|subscriber|group|list)\b.{0,60}(?:disabled|suspend|inactive|deactivat|locked|frozen|freez|blocked|closed|terminated|expired|dormant|not (?:currently )?active|not enabled|on hold|archived|discontinued|hibernat|unpaid|restricted|quarantin|out of service|abandon)|(?:disabled|inactive|suspended|deactivated|frozen|dormant|locked|closed|expired|blocked|archived) (?:\w+ ){0,2}(?:user|recipient|mailbox|account|e-?mail|address|customer)|not currently accepting|temporarily (?:disabled|suspended|inactive)|on hold\b/,
    unless:
      /unknown|no such|does(?: not|n't) exist|not found|\bsender|your (?:ip|account|address|domain|host|server|e-?mail)|\b(?:may|might) (?:not|be|have)\b/,
  },
  {
    cause: 'recipient-unknown',
    words:
      /\b(?:users?|user ?names?|userid|recipients?|mailbox|mail ?box|e-?mail|address(?:es|ee)?|accounts?|alias|local ?part|person|customer|subscriber|login|member|group|mail drop|destinataires?|rcpt|inbox)\b(?: \S{1,60})?.{0,40}(?:unknown|not (?:be )?(?:found|exist|known|recogni[sz]ed|valid|registered|listed|local|available here|a valid)|(?:does|do|did|could|was|is|are|has|can)(?: not|n't|not) (?:be )?(?:found|exist|known|recogni[sz]ed|valid|registered|have an? .{0,30}account|have an? .{0,10}mailbox|listed|match|appear)|no longer (?:exists?|valid|in use|active|available|on (?:this )?server)|non-?existent|nonexist|invalid|no such|unrouteable|wrong|deleted|removed|not a known|(?:is|was) incorrect|cancell?ed|doesn't have)/,
    unless: UNCERTAIN,
  },
  {
    cause: 'recipient-unknown',
    words:
      /(?:unknown|invalid|no such|non-?existent|nonexistant|no valid|bad|undefined|unrecogni[sz]ed|wrong|no mailbox|illegal|unable to find|not find|not a valid|no account|there is no|no one|unroutable|unrouteable|unregistered|incorrect|not a real|not a known|no active|no) (?:\w+ ){0,1}(?:users?|recipients?|mailbox(?:es)?|mail ?box|address(?:es)?|accounts?|local part|alias|rcpt|e-?mail|person|subscriber|by that name|here by|destinataires?|name here|local user)\b|not in my (?:validrcptto|recipient)|no mailbox (?:here|by|found)|mailbox not found|user (?:id )?not found|who are you trying|not in (?:the |our )?(?:address book|directory|ldap)|not our customer|is not a (?:valid )?(?:mailbox|user|address)|(?:rejecting|rejected)(?: for)? unknown|recipnotfound|recipientnotfound|recipient(?:s)? (?:name )?is not recogni[sz]ed|address(?:es)? reject(?:ed|ion)?(?![:;])|verify that the address|check (?:the|that the) (?:recipient|address|e-?mail)/,
    unless: UNCERTAIN,
  },
  {
    cause: 'recipient-unknown',
    words:
      /adresse .{0,30}(?:invalide|inconnu|inexist)|(?:utilisateur|destinataire|bo[iî]te|compte) .{0,20}(?:inconnu|invalide|inexist)|empf[äa]nger .{0,30}(?:unbekannt|existiert nicht|ungültig|nicht gefunden)|(?:benutzer|adresse|postfach|konto) .{0,30}(?:unbekannt|existiert nicht|nicht gefunden)|(?:usuario|cuenta|buz[oó]n|destinatario|direcci[oó]n) .{0,30}(?:desconocid|no exist|inv[aá]lid|no encontrad|inexistente)|(?:usu[aá]rio|conta|caixa|endere[cç]o|destinat[aá]rio) .{0,30}(?:desconhecid|n[aã]o exist|inv[aá]lid|inexistente|n[aã]o encontrad)|(?:utente|casella|indirizzo|destinatario) .{0,30}(?:sconosciut|inesistente|non (?:esiste|valid|trovat))|nieznany u[żz]ytkownik|onbekende gebruiker|ok[äa]nd mottagare|пользователь .{0,20}не (?:найден|существует|зарегистрирован)|нет такого (?:пользователя|ящика)|несуществующ|недействителен|(?:用户|用戶|收件人|邮箱|帐号|账户|地址).{0,12}(?:不存在|未找到|无效|错误|拼写)|(?:ユーザ|宛先|アドレス|メールアドレス).{0,16}(?:不明|存在し|見つか|無効|間違)|존재하지 않/,
  },
  {
    cause: 'recipient-refused',
    words:
      /(?:mail ?box|recipient|user|account)(?: address| name| \S{1,40})?(?: is| was| are| currently| temporarily){0,3} (?:unavailable|not available|unreachable|busy|not accepting|not allowed)|requested (?:mail )?action (?:not taken|aborted)[:.,;]? ?mailbox|recipients? (?:was |were |are |is )?(?:rejected|refused|denied|not (?:accepted|authori[sz]ed|permitted|allowed))|(?:rejected|refused) .{0,20}recipient\b(?!'?s? (?:(?:e-?mail|mail) )?(?:server|system|domain|provider|host|organi[sz]ation|gateway|network|company))|recipients? (?:address )?(?:rejected|refused)|recipients (?:was|were) rejected by|cannot (?:deliver|be delivered) to (?:this|that|the) (?:user|recipient|mailbox|address)|not accept(?:ing)? (?:mail|messages) for (?:this|that|the) (?:user|recipient|address|mailbox)|mailbox name not allowed|user .{0,20}(?:reject|refus|not accept)|domain filter|no valid recipients|all recipients (?:were |are )?(?:invalid|rejected|refused)/,
    unless:
      /access denied|polic|relay|sender|reverse|media error|mailer error|local error|\byour (?:ip|host|server|domain|network)|\bclient\b|\bconnection/,
  },
  {
    cause: 'expired',
    words:
      /(?:message|mail|delivery|retry|queue|transmission)\b.{0,40}(?:expired|timeout exceeded|too long|time(?:d)? ?out exceeded|exceeded .{0,20}(?:time|lifetime|hours|days))|retry (?:time|timeout) .{0,20}exceeded|in (?:the )?queue (?:for )?(?:too|more)|(?:not|unable to) (?:be )?deliver(?:ed)? .{0,30}(?:for|within|in|after) \d+ (?:\w+ )?(?:minutes|hours|days)|delivery time expired|giving up after|undeliverable for \d|been in the queue|maximum (?:queue|retry) (?:time|lifetime)|expired after/,
  },
  {
    cause: 'host-unreachable',
    words:
      /(?:connection|connect\w*|session|conversation)\b.{0,60}(?:refused|timed? ?out|timeout|fail|could not|unable|error|not (?:be )?(?:establish|possible))|no route|(?:host|network|destination|server)s?\b.{0,40}(?:unreachable|not reachable|not respond|is down|unavailable|no answer|not available|did not respond|could not be (?:contacted|reached))|network (?:error|is|problem|unreachable)|(?:could not|cannot|can't|couldn't|unable to|did not|failed to|wasn't able to) (?:accept our requests to )?(?:connect|contact|establish|reach|open)|socket error|no answer|bad (?:connection|destination host)|timed ?out|operation timed|time-?out|did not accept our requests|delivery temporarily suspended|no smtp connection/,
  },
  {
    cause: 'connection-lost',
    words:
      /(?:connection|conversation|session|remote (?:host|server|end))\b.{0,60}(?:reset|lost|closed|dropped|died|broken|terminated|aborted|interrupt)|lost connection|broken pipe|premature|closed (?:the )?connection|reset by peer|disconnect/,
  },
  {
    cause: 'system',
    words:
      /internal (?:server|system|software|error|problem)|(?:system|server|local|software|configuration|database|ldap|internal|temporary|mailer|backend|delivery agent|script|program|command|filter|i\/o|disk|file ?system|processing|resource|unexpected|directory)s?\b.{0,30}(?:error|fail|problem|trouble|full|overload|busy|unavailable|too high|exceed|died|crash|timeout)|insufficient (?:system|disk|main memory|resources?|storage)|(?:disk|file ?system) (?:is )?(?:full|space|quota)|out of (?:memory|disk|space|resources)|(?:no|low on|not enough|lack of) (?:free )?(?:disk|memory|space|resources?|blocks)|resources? temporarily|service (?:is )?(?:temporarily |currently )?(?:unavailable|not available)|(?:unable|failed|can't|cannot|could not|couldn't) (?:to )?(?:contact|load|create|open|write|read|lock|access|save|store|append|queue|start|exec|find\/open)|write error|queue file|permission denied|command (?:died|failed|output|not found)|exit (?:status|code)|exec|procmail|mail\.local|deliver\w* (?:program|command|agent)|maintenance|misconfigur|config|overload|server (?:too )?busy|too busy|mailer error|temporary failure|temp(?:orary|orarily) (?:local|system|un|problem|reject)|i\/o error|unexpected (?:error|condition|failure)/,
  },
  {
    cause: 'protocol',
    words:
      /syntax error|command (?:un(?:known|recogni[sz]ed)|not (?:implemented|recogni[sz]ed|supported|allowed)|sequence|out of)|bad (?:sequence|command|syntax)|protocol (?:error|violation)|unrecogni[sz]ed command|unexpected (?:command|response|reply)|pipelin|not implemented|out of order|smtputf8|need (?:rcpt|mail)|parameter|synchroni[sz]ation/,
  },
]

/** Words that are looked at only where neither the table above nor an enhanced code said anything. */
export const WEAK_WORDS: readonly ReplyWords[] = [
  {
    cause: 'greylisted',
    words:
      /(?:re)?try (?:again )?later|try again|temporarily (?:deferred|rejected|refused|blocked)|deferred|come back later|delayed/,
    permanent: false,
  },
  {
    cause: 'policy',
    words:
      /polic(?:y|ies)|not (?:allowed|permitted|authori[sz]ed|accept)|access denied|prohibit|violat|reject|den(?:y|ied)|refus|forbid|disallow|unacceptable|security|administrat|block|restrict|filter/,
  },
]
