/** Of what is drawn. Each stands out from light and from dark ground by 3 to 1 (WCAG 1.4.11), and none says anything that
 *  the words beside it do not. */
const COLORS: Readonly<Record<string, string>> = {
  delivered: '#2f9e62',
  forwarded: '#2f9e62',
  handled: '#1495a3',
  sent: '#4285d6',
  dropped: '#7d8590',
  rejected: '#c9740f',
  deliveryFailed: '#d64550',
  failed: '#9b5de5',
  error: '#9b5de5',
  pass: '#2f9e62',
  fail: '#d64550',
  softfail: '#c9740f',
  neutral: '#4285d6',
  none: '#7d8590',
  temperror: '#9b5de5',
  permerror: '#9b5de5',
  hardBounces: '#d64550',
}

export function seriesColor(name: string): string {
  return COLORS[name] ?? '#7d8590'
}
