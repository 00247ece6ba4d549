// Tries whatever might lead out of its process, and rejects the message with what it got at.
import { connect } from 'cloudflare:sockets'
import fs from 'node:fs'
import net from 'node:net'

const PATIENCE_MS = 5000

const text = async (url) => `answered ${(await fetch(url)).status}`
const opened = async (address) => {
  await connect(address).opened
  return 'opened'
}
const dialled = (...to) =>
  new Promise((resolve, reject) => {
    net
      .connect(...to)
      .on('connect', resolve)
      .on('error', reject)
  })

/** By what they are called. What returns has got at something. */
function attemptsOn({ hosts, ports, sockets, files, directory }) {
  const attempts = []
  for (const host of hosts) {
    const name = host.includes(':') ? `[${host}]` : host
    for (const port of ports) {
      attempts.push([`fetch ${name}`, () => text(`http://${name}:${port}/`)])
      attempts.push([`connect ${name}`, () => opened(`${name}:${port}`)])
      attempts.push([`net ${name}`, () => dialled(port, host)])
    }
  }
  for (const path of sockets) {
    const urls = [`unix:${path}`, `http+unix://${encodeURIComponent(path)}/`]
    for (const url of urls) attempts.push([url, () => text(url)])
    attempts.push([`connect ${path}`, () => opened(`unix:${path}`)])
    attempts.push([`net ${path}`, () => dialled(path)])
  }
  for (const path of files) {
    attempts.push([`read ${path}`, () => fs.readFileSync(path)])
    attempts.push([`fetch ${path}`, () => text(`file://${path}`)])
    attempts.push([`import ${path}`, () => import(path)])
  }
  attempts.push(['list', () => fs.readdirSync(directory)])
  attempts.push(['write', () => fs.writeFileSync(`${directory}/written`, 'x')])
  attempts.push(['spawn', async () => (await import('node:child_process')).execSync('id')])
  attempts.push(['environment', () => process.env.PATH ?? Promise.reject(new Error())])
  return attempts
}

export default {
  async email(message, { TARGETS }) {
    const reached = []
    const attempts = attemptsOn(TARGETS)
    const late = scheduler.wait(PATIENCE_MS)
    await Promise.all(
      attempts.map(async ([name, run]) => {
        try {
          // What does not answer was not refused either.
          await Promise.race([run(), late])
          reached.push(name)
        } catch {}
      }),
    )
    message.setReject(reached.length === 0 ? `nothing of ${attempts.length}` : reached.join('; '))
  },
}
