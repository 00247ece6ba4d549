// What the viewer chose, else what their system prefers; src/shell/color-mode.ts changes it.
{
  const chosen = localStorage.getItem('posthorn.color-mode')
  const dark = chosen ? chosen === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches
  document.documentElement.dataset.mode = dark ? 'dark' : 'light'
}
