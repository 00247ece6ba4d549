import { TimeseriesChart } from '@cloudflare/kumo/components/chart'
import { BarChart } from 'echarts/charts'
import {
  AriaComponent,
  BrushComponent,
  GridComponent,
  ToolboxComponent,
  TooltipComponent,
} from 'echarts/components'
import * as echarts from 'echarts/core'
import { CanvasRenderer } from 'echarts/renderers'
import { useMemo } from 'react'
import { useIsNarrow } from '../parts/use-is-narrow.ts'
import { useColorMode } from '../shell/color-mode.ts'
import { countText } from './numbers.ts'
import { seriesColor } from './series-colors.ts'

echarts.use([
  ...[BarChart, AriaComponent, BrushComponent, GridComponent, ToolboxComponent, TooltipComponent],
  CanvasRenderer,
])

interface StatusChartProps {
  readonly series: readonly {
    readonly status: string
    readonly label: string
    readonly points: [number, number][]
  }[]
  /** Of each bar, in ms. */
  readonly step: number
  readonly description: string
  /** A part of the time was drawn over. */
  readonly onZoom: (from: number, to: number) => void
}

const DAY_MS = 86_400_000
const clock = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' })
const day = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric' })
// Days of the datasets are those of UTC.
const utcDay = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric', timeZone: 'UTC' })

/** Counts by status over time, stacked. Loaded where it is shown and nowhere else: it is larger than the whole rest. */
export function StatusChart({ series, step, description, onZoom }: StatusChartProps) {
  const [mode] = useColorMode()
  const isNarrow = useIsNarrow()
  const data = useMemo(
    () =>
      series.map(({ status, label, points }) => ({ name: label, data: points, color: seriesColor(status) })),
    [series],
  )
  const format = useMemo(() => tickFormat(step), [step])
  return (
    <TimeseriesChart
      // With other colours it is another chart, and the library goes on fitting the one before to the window.
      key={mode}
      ref={hold}
      echarts={echarts}
      type="bar"
      data={data}
      height={280}
      isDarkMode={mode === 'dark'}
      yAxisMinInterval={1}
      xAxisTickCount={isNarrow ? 3 : 6}
      xAxisTickFormat={format}
      yAxisTickFormat={countText}
      tooltipValueFormat={countText}
      ariaDescription={description}
      onTimeRangeChange={onZoom}
      // Series come and go with what happened; those that went must not stay.
      optionUpdateBehavior={REPLACED}
    />
  )
}

/** Bars that grow anew with every refresh say that something happened where nothing did. */
function hold(chart: echarts.ECharts | null): void {
  chart?.setOption({ animation: false })
}

const REPLACED = { replaceMerge: ['series'], lazyUpdate: true }

function tickFormat(step: number): (at: number) => string {
  if (step >= DAY_MS) return (at) => utcDay.format(at)
  return (at) => {
    const time = new Date(at)
    return time.getHours() === 0 && time.getMinutes() === 0 ? day.format(time) : clock.format(time)
  }
}
