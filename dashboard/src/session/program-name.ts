/** Each before those that claim to be it as well. */
const BROWSERS = [
  [/\bEdg(?:e|A|iOS)?\/(\d+)/, 'Edge'],
  [/\b(?:OPR|OPiOS|Opera)\/(\d+)/, 'Opera'],
  [/\bVivaldi\/(\d+)/, 'Vivaldi'],
  [/\bSamsungBrowser\/(\d+)/, 'Samsung Internet'],
  [/\b(?:Firefox|FxiOS)\/(\d+)/, 'Firefox'],
  [/\b(?:HeadlessChrome|Chrome|CriOS|Chromium)\/(\d+)/, 'Chrome'],
  [/\bVersion\/(\d+)[\d.]*.* Safari\//, 'Safari'],
] as const

const SYSTEMS = [
  [/\biPhone\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bAndroid\b/, 'Android'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b|\bMacintosh\b/, 'macOS'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bLinux\b|\bX11\b/, 'Linux'],
] as const

/** What a person calls the program that sent this User-Agent: "Firefox 141 on Linux". One that is no browser is called
 *  by the first product that it names (RFC 9110 §10.1.5). */
export function programName(userAgent: string): string {
  const browser = BROWSERS.map(([sign, name]) => {
    const version = sign.exec(userAgent)?.[1]
    return version === undefined ? undefined : `${name} ${version}`
  }).find((name) => name !== undefined)
  const system = SYSTEMS.find(([sign]) => sign.test(userAgent))?.[1]
  const program = browser ?? /^[^\s/]{1,40}/.exec(userAgent.replace(/^Mozilla\/\S+\s*/, ''))?.[0]
  if (program === undefined || program.startsWith('(')) return system ?? 'Unknown'
  return system === undefined ? program : `${program} on ${system}`
}
