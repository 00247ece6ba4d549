import assert from 'node:assert/strict'
import { connect, createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import test from 'node:test'
import { type Bind, bindServer, LOOPBACK, listenLoopback, PortUnavailable } from './listen-loopback.ts'

const OPTIONS = { door: 'the MX', variable: 'POSTHORN_MX_PORT' }
const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === '::1'),
)
const skip = hasIpv6 ? false : 'this machine has no ::1'
const greeter = bindServer(() => createServer((socket) => socket.end('220')))

function greeting(host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port })
    socket.on('error', reject)
    socket.on('data', (data) => resolve(data.toString()))
  })
}

test('port 0 is one free port on both loopback addresses', { skip }, async () => {
  const door = await listenLoopback(greeter, { ...OPTIONS, port: 0 })
  assert.notEqual(door.port, 0)
  for (const host of LOOPBACK) assert.equal(await greeting(host, door.port), '220')
  await door.close()
  await assert.rejects(greeting('127.0.0.1', door.port), { code: 'ECONNREFUSED' })
})

test('a port in use is named with the variable that changes it', async () => {
  const first = await listenLoopback(greeter, { ...OPTIONS, port: 0 })
  await assert.rejects(listenLoopback(greeter, { ...OPTIONS, port: first.port }), (error) => {
    assert.ok(error instanceof PortUnavailable)
    assert.match(error.message, new RegExp(`Port ${first.port} of the MX is in use: set POSTHORN_MX_PORT`))
    return true
  })
  await first.close()
})

test('a port taken on ::1 alone is in use, and nothing stays open on 127.0.0.1', { skip }, async () => {
  const six = await listenLoopback(greeter, { ...OPTIONS, port: 0, hosts: ['::1'] })
  await assert.rejects(listenLoopback(greeter, { ...OPTIONS, port: six.port }), PortUnavailable)
  await assert.rejects(greeting('127.0.0.1', six.port), { code: 'ECONNREFUSED' })
  await six.close()
})

/** A machine on which the ports of `taken` are in use on ::1, handing out 40001, 40002 … for 0. */
function machine({ ipv6 = true, taken = [] as number[] }) {
  const open = new Set<string>()
  let next = 40_000
  const bind: Bind = async (host, port) => {
    const fail = (code: string) => Promise.reject(Object.assign(new Error(code), { code }))
    if (host === '::1' && !ipv6) return fail('EADDRNOTAVAIL')
    if (host === '::1' && taken.includes(port)) return fail('EADDRINUSE')
    const bound = port === 0 ? ++next : port
    open.add(`${host} ${bound}`)
    return {
      port: bound,
      close: async () => {
        open.delete(`${host} ${bound}`)
      },
    }
  }
  return { bind, open }
}

test('a free port that is taken on ::1 is given back and another one tried', async () => {
  const { bind, open } = machine({ taken: [40_001, 40_002] })
  const door = await listenLoopback(bind, { ...OPTIONS, port: 0 })
  assert.equal(door.port, 40_003)
  assert.deepEqual([...open], ['127.0.0.1 40003', '::1 40003'])
})

test('a machine without IPv6 listens on 127.0.0.1 alone', async () => {
  const { bind, open } = machine({ ipv6: false })
  const door = await listenLoopback(bind, { ...OPTIONS, port: 2525 })
  assert.deepEqual([...open], ['127.0.0.1 2525'])
  await door.close()
  assert.equal(open.size, 0)
})

test('IPv6 alone on a machine without it is the error of the system', async () => {
  const { bind } = machine({ ipv6: false })
  await assert.rejects(listenLoopback(bind, { ...OPTIONS, port: 2525, hosts: ['::1'] }), {
    code: 'EADDRNOTAVAIL',
  })
})

test('a host of another machine is the error of the system', async () => {
  await assert.rejects(listenLoopback(greeter, { ...OPTIONS, port: 0, hosts: ['192.0.2.77'] }), {
    code: 'EADDRNOTAVAIL',
  })
})
