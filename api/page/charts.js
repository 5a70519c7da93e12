// A chart for each variable over time, drawn by uPlot (a global of its script).

import { extremes } from "./columns.js";
import { hatch } from "./hatching.js";
import { VARIABLES } from "./variables.js";
import * as words from "./words.js";

const DAY = 86_400; // seconds
const MONTH = 30 * DAY;
const WIDTHS = { day: DAY, month: MONTH }; // of a bar's column
const STEPS = [1, 2, 7, 14].map((days) => days * DAY);
const LONGER_STEPS = [1, 2, 3, 6, 12, 24, 60].map((months) => months * MONTH);

const COLDEST = -15; // °C, where the colours of temperature begin
const HOTTEST = 39; // and end
const COLOURS = 7; // --temperature-1 to --temperature-7

const POINTS_APART = 12; // pixels between days from which on each average has its point

const LOOKS = {
  temperature: {
    height: [250, 210],
    columns: ["lowest", "highest", "average"],
    range: (least, greatest) => [Math.floor(least - 1), Math.ceil(greatest + 1)],
    series: (look, data) => [
      // Not drawn: the bars begin there, and the scale includes it.
      { paths: () => null, points: { show: false } },
      {
        fill: (chart) => temperatures(chart, look),
        width: 0,
        points: { show: false },
        paths: bars({
          size: [0.62, 18, 1.5],
          radius: [0.5, 0.5],
          disp: {
            y0: { unit: 1, values: () => data.lowest },
            y1: { unit: 1, values: () => data.highest },
          },
        }),
      },
      line(look("--average")),
    ],
  },
  rain: {
    range: (least, greatest) => [0, Math.max(5, greatest * 1.1)],
    series: (look) => [
      {
        fill: look("--rain"),
        width: 0,
        points: { show: false },
        paths: bars({ size: [0.62, 18, 1.5], radius: [0.25, 0] }),
      },
    ],
  },
  wind: {
    range: (least, greatest) => [0, Math.max(20, greatest * 1.1)],
    series: (look) => [{ ...line(look("--wind")), fill: look("--wind-area") }],
  },
};

/** The options of a variable's chart; by default, a line. */
function chartOf({ id, label, unit }) {
  return {
    title: label,
    unit,
    height: [140, 120],
    columns: [id],
    range: (least, greatest) => [Math.floor(least - 1), Math.ceil(greatest + 1)],
    series: (look) => [line(look("--average"))],
    ...LOOKS[id],
  };
}

const bars = (options) => window.uPlot.paths.bars(options);

function line(colour) {
  return {
    stroke: colour,
    width: 2,
    points: {
      size: 5,
      fill: colour,
      // Where days are apart; and those between two gaps, which no line reaches.
      show: (chart) => chart.bbox.width / chart.data[0].length > POINTS_APART * window.devicePixelRatio,
    },
  };
}

/** A gradient with the same colour for a temperature in every chart. */
function temperatures(chart, look) {
  const bottom = chart.valToPos(COLDEST, "y", true);
  const top = chart.valToPos(HOTTEST, "y", true);
  const gradient = chart.ctx.createLinearGradient(0, bottom, 0, top);
  for (let each = 1; each <= COLOURS; each += 1) {
    gradient.addColorStop((each - 1) / (COLOURS - 1), look(`--temperature-${each}`));
  }
  return gradient;
}

/** The labels of the time axis: days, or months with the year at its first month. */
function timeLabels(chart, splits, axis, space, step) {
  let year = null;
  return splits.map((time) => {
    const date = new Date(time * 1000);
    if (step < MONTH) return words.tick(date, { day: "numeric", month: "short" });
    if (step >= 12 * MONTH) return words.tick(date, { year: "numeric" });
    const name = words.tick(date, { month: "short" });
    if (year === date.getUTCFullYear()) return name;
    year = date.getUTCFullYear();
    return `${name}\n${year}`;
  });
}

function options(chart, data, look, size) {
  const font = `12px ${getComputedStyle(document.body).fontFamily}`;
  const axis = { stroke: look("--quiet"), font, ticks: { show: false } };
  const half = WIDTHS[data.step] / 2;
  return {
    ...size,
    cursor: { show: false },
    legend: { show: false },
    padding: [10, 8, 0, 0],
    tzDate: (time) => window.uPlot.tzDate(new Date(time * 1000), "Etc/UTC"),
    scales: {
      x: { range: () => [data.time[0] - half, data.time.at(-1) + half] },
      y: {
        range: (_, least, greatest) => (least === null ? [0, 10] : chart.range(least, greatest)),
      },
    },
    axes: [
      {
        ...axis,
        size: (_, labels) => (labels?.some((label) => label.includes("\n")) ? 42 : 26),
        gap: 6,
        space: 64,
        incrs: data.step === "day" ? [...STEPS, ...LONGER_STEPS] : LONGER_STEPS,
        values: timeLabels,
        grid: { show: false },
      },
      {
        ...axis,
        size: 44,
        gap: 8,
        space: 26,
        values: (_, splits) => splits.map((value) => `${value}`.replace("-", "−")),
        grid: { stroke: look("--grid"), width: 1 },
      },
    ],
    series: [{}, ...chart.series(look, data)],
    hooks: {
      drawClear: [
        (drawn) => hatch(drawn, data, incomplete(data), WIDTHS[data.step], look("--hatching")),
      ],
    },
  };
}

function incomplete({ rows }) {
  return [...rows.keys()].filter((index) => rows[index] !== null && !rows[index].complete);
}

/** The text alternative of a chart, for screen readers. */
function description(chart, data) {
  const low = extremes(data.rows, chart.columns[0])?.least;
  const high = extremes(data.rows, chart.columns.at(chart.columns[1] ? 1 : 0))?.greatest;
  if (!low) return `${chart.title}: no values.`;
  const name = data.step === "day" ? words.dayPlainly : words.month;
  const at = (row, column) => `${words.number(row[column])} ${chart.unit}, ${name(row.date)}`;
  const least = at(low, chart.columns[0]);
  const greatest = at(high, chart.columns[1] ?? chart.columns[0]);
  return `Chart of ${chart.title.toLowerCase()}. Lowest: ${least}. Highest: ${greatest}.`;
}

/** Return a function that resolves a custom property's colour: a canvas has no `light-dark()`. */
function looks() {
  const { style } = document.documentElement;
  return (name) => {
    style.color = `var(${name})`;
    const { color } = getComputedStyle(document.documentElement);
    style.color = "";
    return color;
  };
}

/**
 * Draw the charts into `figures`, the elements by their variables' ids. `choose` is called with the
 * index of the day under the pointer. Returns functions that mark a day and that remove the charts.
 */
export function drawCharts(figures, data, choose) {
  const look = looks();
  const drawn = VARIABLES.map((variable) => {
    const chart = chartOf(variable);
    const figure = figures[variable.id];
    const size = () => ({
      width: figure.clientWidth,
      height: chart.height[figure.clientWidth < 600 ? 1 : 0],
    });
    const values = [data.time, ...chart.columns.map((column) => data[column])];
    const plot = new window.uPlot(options(chart, data, look, size()), values, figure);
    plot.root.setAttribute("role", "img");
    plot.root.setAttribute("aria-label", description(chart, data));
    const mark = document.createElement("div");
    mark.className = "mark";
    plot.over.append(mark);
    const point = (event) => choose(plot.posToIdx(event.offsetX));
    plot.over.addEventListener("pointermove", point);
    plot.over.addEventListener("pointerdown", point);
    return { plot, mark, size };
  });
  let marked = 0;
  const half = WIDTHS[data.step] / 2;
  const select = (index) => {
    marked = index;
    for (const { plot, mark } of drawn) {
      const left = plot.valToPos(data.time[index] - half, "x");
      const width = Math.max(plot.valToPos(data.time[index] + half, "x") - left, 2);
      mark.style.translate = `${left}px 0`;
      mark.style.width = `${width}px`;
    }
  };
  const watch = new ResizeObserver(() => {
    for (const { plot, size } of drawn) plot.setSize(size());
    select(marked);
  });
  for (const figure of Object.values(figures)) watch.observe(figure);
  return {
    select,
    remove() {
      watch.disconnect();
      for (const { plot } of drawn) plot.destroy();
    },
  };
}
