import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openMetricFamilies } from './metric-families.ts'
import { openMetrics } from './metrics.ts'

const lines = (text: string, name: string) => text.split('\n').filter((line) => line.startsWith(name))

test('counters, histograms and readings come out as Prometheus reads them', async () => {
  const { counter, histogram, gauge, text, contentType } = openMetricFamilies()
  const count = counter({ name: 'things_total', help: 'Things. Look at them.', labels: ['kind'] })
  count({ kind: 'a' })
  count({ kind: 'a' }, 2)
  count({ kind: 'b"\n' })
  const observe = histogram({ name: 'time', help: 'Time.', labels: [] }, [1, 2])
  observe({}, 1.5)
  let depth = 3
  const watch = gauge({ name: 'depth', help: 'Depth.', labels: ['door'] })
  watch(() => [{ labels: { door: 'mx' }, value: depth }])
  watch(async () => [{ labels: { door: 'http' }, value: 1 }])
  const first = await text()
  assert.match(contentType, /^text\/plain; version=0\.0\.4/)
  assert.match(first, /^# HELP posthorn_things_total Things\. Look at them\.$/m)
  assert.deepEqual(lines(first, 'posthorn_things_total'), [
    'posthorn_things_total{kind="a"} 3',
    'posthorn_things_total{kind="b\\"\\n"} 1',
  ])
  assert.deepEqual(lines(first, 'posthorn_time_bucket'), [
    'posthorn_time_bucket{le="1"} 0',
    'posthorn_time_bucket{le="2"} 1',
    'posthorn_time_bucket{le="+Inf"} 1',
  ])
  depth = 4
  assert.deepEqual(lines(await text(), 'posthorn_depth'), [
    'posthorn_depth{door="mx"} 4',
    'posthorn_depth{door="http"} 1',
  ])
})

test('a family has a bounded number of series, whatever its labels are given', async () => {
  const { counter, text } = openMetricFamilies()
  const count = counter({ name: 'wild_total', help: 'Wild.', labels: ['name'] })
  for (let index = 0; index < 2000; index++) count({ name: `n${index}` })
  const series = lines(await text(), 'posthorn_wild_total')
  assert.ok(series.length <= 501, `${series.length} series`)
  assert.ok(series.includes('posthorn_wild_total{name="other"} 1500'))
})

test('a reading that fails costs itself alone, and is counted', async () => {
  const { gauge, text } = openMetricFamilies()
  const watch = gauge({ name: 'sound', help: 'Sound.', labels: [] })
  gauge({ name: 'broken', help: 'Broken.', labels: [] })(() => Promise.reject(new Error('no database')))
  watch(() => [{ labels: {}, value: 5 }])
  const page = await text()
  assert.deepEqual(lines(page, 'posthorn_sound'), ['posthorn_sound 5'])
  assert.deepEqual(lines(page, 'posthorn_readings_failed_total'), [
    'posthorn_readings_failed_total{family="posthorn_broken"} 1',
  ])
})

test('each family of the service says what to do about it, and none is there twice', async () => {
  const page = await openMetrics().text()
  const helps = [...page.matchAll(/^# HELP (\S+) (.*)$/gm)]
  assert.ok(helps.length >= 22, `${helps.length} families`)
  assert.equal(new Set(helps.map(([, name]) => name)).size, helps.length)
  for (const [, name = '', help = ''] of helps) {
    assert.match(name, /^posthorn_[a-z_]+$/)
    assert.ok(help.length > 60, `${name}: ${help}`)
  }
})
