#!/usr/bin/env node
import { Command } from 'commander'
import { dev } from './dev.ts'
import { domainsCommand } from './domains.ts'
import { openApiCommand } from './openapi.ts'
import { queueCommand } from './queue.ts'
import { serviceCommand } from './service.ts'
import { tokensCommand } from './tokens.ts'
import { zonesCommand } from './zones.ts'

/** The command line: a client of the HTTP API, and what starts a server. */
const program = new Command('posthorn')
  .description('A self-hosted email service that speaks the API of Cloudflare Email Service')
  .showHelpAfterError()

program
  .command('dev')
  .description('start a development instance: no configuration, no network, all mail lands in its inbox')
  .addHelpText(
    'after',
    `
It stores into ./.posthorn and listens on loopback only. Variables:
  POSTHORN_DATA              folder for everything it keeps
  POSTHORN_HTTP_PORT         API and inbox (8025)
  POSTHORN_MX_PORT           mail from outside (2525)
  POSTHORN_DNS_PORT          authoritative DNS (5300)
  POSTHORN_DEV_ZONES         domains to send from (yourdomain.com)
  POSTHORN_DATABASE_URL      postgresql://… in place of the embedded SQLite
A port of 0 takes any free one; dev.json in the data folder says which.`,
  )
  .action(async () => {
    process.exitCode = await dev()
  })

for (const command of [
  zonesCommand(),
  domainsCommand(),
  tokensCommand(),
  queueCommand(),
  serviceCommand(),
  openApiCommand(),
])
  program.addCommand(command)

await program.parseAsync()
