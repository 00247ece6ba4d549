/** The look of the page about the API, by day and by night. */
export const STYLE = `
:root { color-scheme: light dark; --text: #1d2530; --faint: #56616f; --line: #e3e7ec; --back: #fff; --block: #f5f7f9; --link: #0b5cad;
  --get: #0b6b3a; --post: #0b5cad; --put: #7a4d00; --delete: #a11a2b }
@media (prefers-color-scheme: dark) { :root { --text: #e4e8ee; --faint: #9aa5b3; --line: #2b323b; --back: #14181d; --block: #1b2027;
  --link: #7db7f0; --get: #6fce98; --post: #7db7f0; --put: #e2b25c; --delete: #f08a96 } }
* { box-sizing: border-box }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0; color: var(--text); background: var(--back); display: grid;
  grid-template-columns: 19rem minmax(0, 1fr) }
nav { position: sticky; top: 0; height: 100vh; overflow-y: auto; padding: 1.5rem 1rem; border-right: 1px solid var(--line); font-size: .9rem }
nav ul { list-style: none; margin: .2rem 0 .6rem; padding: 0 0 0 1rem }
nav li { overflow-wrap: anywhere; padding: .1rem 0 }
nav summary { padding: .2rem 0 }
nav a { color: inherit; text-decoration: none }
nav a:hover, nav a:focus-visible { text-decoration: underline }
.links a { display: block; color: var(--link) }
main { padding: 1.5rem 2.5rem 4rem; max-width: 64rem }
h1 { font-size: 1.6rem; margin: 0 0 .75rem }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .25rem }
h3 { font-size: 1.05rem; margin: 1.5rem 0 .25rem }
h4 { font-size: .95rem; margin: 1.1rem 0 .3rem }
a { color: var(--link) }
p { margin: 0 0 .75rem }
code, pre { font: .9em/1.5 ui-monospace, monospace; overflow-wrap: anywhere }
pre { background: var(--block); padding: .75rem 1rem; border-radius: .35rem; overflow-x: auto; margin: 0 }
.operation { border: 1px solid var(--line); border-radius: .4rem; margin: .5rem 0 }
.operation > summary { padding: .5rem .75rem; cursor: pointer }
.operation i { font-style: normal; color: var(--faint) }
.summary { display: block; color: var(--faint); padding-left: 1.1rem }
.entry { padding: .25rem 1rem 1rem; border-top: 1px solid var(--line); scroll-margin-top: 5.5rem }
section, article { scroll-margin-top: 1rem }
.GET, .POST, .PUT, .PATCH, .DELETE { font: 600 .8em/1.5 ui-monospace, monospace }
.GET { color: var(--get) } .POST { color: var(--post) } .PUT, .PATCH { color: var(--put) } .DELETE { color: var(--delete) }
.fields { list-style: none; margin: .25rem 0 .25rem; padding: 0 0 0 .9rem; border-left: 2px solid var(--line) }
.fields li { padding: .15rem 0 }
.name { font-weight: 600 }
.note, .optional { color: var(--faint); font-weight: normal }
.optional { font-size: .85em; font-style: italic }
.errors { margin-top: 1.1rem; font-size: .95rem }
.errors summary { cursor: pointer; font-weight: 600 }
.errors ul { margin: .1rem 0 .5rem; padding-left: 1.2rem }
@media (max-width: 50rem) { body { display: block } nav { position: static; height: auto; border-right: 0; border-bottom: 1px solid var(--line) } main { padding: 1rem } }
`
