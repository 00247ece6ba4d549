import type { Instance } from './instance.ts'

/** The links that the mails to an address lead to, the newest first, once there are so many. */
export async function mailedLinks(
  instance: Pick<Instance, 'dev' | 'inbox'>,
  to: string,
  count = 1,
): Promise<readonly URL[]> {
  const mails = await instance.inbox(`to:${to}`, count)
  return Promise.all(
    mails.map(async ({ ID }) => {
      const view: unknown = await (await fetch(`${instance.dev.inbox}/message/${ID}`)).json()
      const link = /https?:\S+/.exec(String(Reflect.get(Object(view), 'Text')))?.[0]
      if (link === undefined) throw new Error(`no link in the mail to ${to}`)
      return new URL(link)
    }),
  )
}

/** The one in the newest of so many mails. */
export async function mailedLink(
  instance: Pick<Instance, 'dev' | 'inbox'>,
  to: string,
  count = 1,
): Promise<URL> {
  const [link] = await mailedLinks(instance, to, count)
  if (!link) throw new Error(`no mail to ${to}`)
  return link
}
