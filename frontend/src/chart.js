// Charts with a table behind them (components/_chart.html):
//   <div data-chart="JSON" data-chart-kind="line|bar" role="img" aria-label="..."></div>
// JSON: {"labels": ["2026-11-01", ...], "series": [{"name": "...", "values": [1, null, 3], "dashed": false}]}; labels are
// ISO dates or words. A dashed line is one that was worked out, not counted.
import { BarChart, LineChart } from "echarts/charts";
import { GridComponent, LegendComponent, TooltipComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { onElements, pageLanguage } from "./page.js";

echarts.use([BarChart, LineChart, GridComponent, LegendComponent, TooltipComponent, SVGRenderer]);

const PALETTE = ["--chart-1", "--chart-2", "--chart-3", "--chart-4", "--chart-5", "--chart-6"];
const ISO_DATE = /^\d{4}-\d{2}-\d{2}$/;

// Below this width the names of more than two series stand in two rows.
const NARROW = 420;

function options(chart, kind, isNarrow) {
  const style = getComputedStyle(document.documentElement);
  const color = (name) => style.getPropertyValue(name).trim();
  const language = pageLanguage();
  const number = new Intl.NumberFormat(language, { maximumFractionDigits: 2 });
  const compact = new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: 1 });
  // An ISO date has no zone: it is printed as it is, not moved into the browser's zone.
  const day = new Intl.DateTimeFormat(language, { month: "short", day: "numeric", timeZone: "UTC" });
  const label = (value) => (ISO_DATE.test(value) ? day.format(new Date(`${value}T00:00:00Z`)) : value);
  const faint = color("--tblr-border-color");
  const ink = color("--tblr-secondary");
  return {
    animation: !matchMedia("(prefers-reduced-motion: reduce)").matches,
    animationDuration: 300,
    color: PALETTE.map(color),
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
    grid: { left: 4, right: 12, top: chart.series.length < 2 ? 12 : isNarrow && chart.series.length > 2 ? 54 : 34, bottom: 4, containLabel: true },
    legend: { show: chart.series.length > 1, left: 0, top: 0, icon: "roundRect", itemWidth: 10, itemHeight: 10, textStyle: { color: ink } },
    tooltip: {
      trigger: "axis",
      renderMode: "richText", // HTML would need inline styles, which a strict CSP forbids
      backgroundColor: color("--tblr-bg-surface"),
      borderColor: faint,
      textStyle: { color: color("--tblr-body-color"), fontSize: 12 },
      valueFormatter: (value) => (value === null || value === undefined ? "–" : number.format(value)),
      axisPointer: { lineStyle: { color: ink } },
    },
    xAxis: {
      type: "category",
      data: chart.labels.map(label),
      boundaryGap: kind === "bar",
      axisLine: { lineStyle: { color: faint } },
      axisTick: { show: false },
      axisLabel: { color: ink, hideOverlap: true },
    },
    yAxis: {
      type: "value",
      scale: kind !== "bar",
      minInterval: chart.series.every(({ values }) => values.every((value) => value === null || Number.isInteger(value))) ? 1 : 0,
      splitLine: { lineStyle: { color: faint } },
      axisLabel: { color: ink, formatter: (value) => (Math.abs(value) < 100_000 ? number : compact).format(value) },
    },
    series: chart.series.map(({ name, values, dashed }) => ({
      name,
      type: kind,
      data: values,
      showSymbol: values.length < 40 && !dashed,
      symbolSize: 5,
      lineStyle: { width: 2, type: dashed ? "dashed" : "solid" },
      areaStyle: kind === "line" && chart.series.length === 1 ? { opacity: 0.1 } : undefined,
      barMaxWidth: 28,
    })),
  };
}

onElements("[data-chart]", (holder) => {
  // In an attribute: htmx takes script elements out of what it swaps in, those of data too.
  const data = JSON.parse(holder.dataset.chart);
  const kind = holder.dataset.chartKind || "line";
  const chart = echarts.init(holder, null, { renderer: "svg" });
  let isNarrow = holder.clientWidth < NARROW;
  const draw = () => chart.setOption(options(data, kind, isNarrow), true);
  draw();
  const root = document.documentElement;
  const redraw = () => (holder.isConnected ? draw() : root.removeEventListener("themechange", redraw)); // swapped out
  root.addEventListener("themechange", redraw);
  new ResizeObserver(() => {
    chart.resize();
    if (isNarrow === holder.clientWidth < NARROW) return;
    isNarrow = !isNarrow;
    draw();
  }).observe(holder);
});
