#!/usr/bin/env node
import { Command } from 'commander'
import { type DevOptions, dev } from './dev.ts'

/** Each is loaded when it is asked for: the launcher of a server needs none of them, and stays as long as the server. */
const GROUPS: Readonly<Record<string, () => Promise<Command>>> = {
  zones: async () => (await import('./zones.ts')).zonesCommand(),
  domains: async () => (await import('./domains.ts')).domainsCommand(),
  tokens: async () => (await import('./tokens.ts')).tokensCommand(),
  queue: async () => (await import('./queue.ts')).queueCommand(),
  service: async () => (await import('./service.ts')).serviceCommand(),
  openapi: async () => (await import('./openapi.ts')).openApiCommand(),
}

/** The command line: a client of the HTTP API, and what starts a server. */
const program = new Command('posthorn')
  .description('A self-hosted email service that speaks the API of Cloudflare Email Service')
  .showHelpAfterError()

program
  .command('dev')
  .description('start a development instance: no configuration, no network, all mail lands in its inbox')
  .option(
    '--worker <folder>',
    'run the Worker whose wrangler.jsonc, .json or .toml is there, and reload it when it changes; may be repeated',
    (folder: string, folders?: readonly string[]) => [...(folders ?? []), folder],
  )
  .addHelpText(
    'after',
    `
It stores into ./.posthorn and listens on loopback only. Variables:
  POSTHORN_DATA              folder for everything it keeps
  POSTHORN_HTTP_PORT         API and inbox (8025)
  POSTHORN_MX_PORT           mail from outside (2525)
  POSTHORN_DNS_PORT          authoritative DNS (5300)
  POSTHORN_WORKERS_PORT      Workers' fetch() and /cdn-cgi/handler/email (8787)
  POSTHORN_DEV_ZONES         domains to send from (yourdomain.com)
  POSTHORN_DATABASE_URL      postgresql://… in place of the embedded SQLite
A port of 0 takes any free one; dev.json in the data folder says which.`,
  )
  .action(async (options: DevOptions) => {
    process.exitCode = await dev(options)
  })

const [asked = ''] = process.argv.slice(2)
// Whoever names none of them, or asks for help, is shown them all.
const wanted = Object.keys(GROUPS).includes(asked) ? [asked] : asked === 'dev' ? [] : Object.keys(GROUPS)
for (const name of wanted) {
  const group = await GROUPS[name]?.()
  if (group) program.addCommand(group)
}

await program.parseAsync()
