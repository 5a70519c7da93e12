// A location's history: charts, the values of a selected day, the table and the downloads.

import { drawCharts } from "./charts.js";
import { columns } from "./columns.js";
import { address } from "./source.js";
import { showTable } from "./table.js";
import { VARIABLES } from "./variables.js";
import * as words from "./words.js";

const NOTES = { rain: "snow as water" };
const FORMATS = ["csv", "parquet", "json"];

const element = (id) => document.getElementById(id);
const slider = element("day");
const figures = Object.fromEntries(VARIABLES.map((variable) => [variable.id, chartFigure(variable)]));

let charts = null;
let data = null;

slider.addEventListener("input", () => showReading(Number(slider.value)));
// A chart takes its colours when it is drawn.
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  if (data !== null) draw(Number(slider.value));
});

/** Show a location's rows, the newest first: its days or its months from `start` on. */
export function showHistory(location, newestFirst, { step, start }) {
  data = columns(newestFirst, step);
  const range = words.range(newestFirst.at(-1).date, newestFirst[0].date, step);
  element("history-title").textContent = range;
  element("incomplete-word").textContent = `incomplete ${step}`;
  element("incomplete-key").hidden = newestFirst.every(({ complete }) => complete);
  for (const format of FORMATS) {
    element(format).href = address(location.id, step, start, format);
    // Name the JSON download. The API names the other files.
    element(format).download = `${location.id}.${format}`;
  }
  element("history").hidden = false;
  slider.max = data.time.length - 1;
  // The style places the slider's ends over the first and the last day.
  element("selected").style.setProperty("--days", data.time.length);
  draw(data.time.length - 1);
  showTable(newestFirst, step, `${location.name}, ${range}`);
}

/** Add the element that a variable's chart is drawn into. */
function chartFigure({ id, label, unit, statistics }) {
  const figure = element("chart").content.cloneNode(true).firstElementChild;
  const note = NOTES[id] ?? (statistics[0].function === "avg" && "average");
  figure.id = `${id}-chart`;
  figure.querySelector("b").textContent = label;
  figure.querySelector(".quiet").textContent = note ? `${unit}, ${note}` : unit;
  figure.querySelector(".reading").id = `${id}-reading`;
  element("charts").append(figure);
  return figure;
}

/** Remove the charts and hide the section. */
export function hideHistory() {
  charts?.remove();
  charts = null;
  data = null;
  element("history").hidden = true;
}

function draw(index) {
  charts?.remove();
  charts = drawCharts(figures, data, showReading);
  showReading(index);
}

function showReading(index) {
  const row = data.rows[index];
  const date = new Date(data.time[index] * 1000).toISOString().slice(0, 10);
  const name = data.step === "day" ? words.dayInShort(date) : words.month(date);
  const readings = VARIABLES.map((variable) => [variable.id, words.reading(variable, row)]);
  const remark = row === null || row.complete ? "" : `incomplete: ${words.share(row)}`;
  for (const [chart, reading] of readings) {
    element(`${chart}-reading`).textContent = reading;
  }
  element("selected-day").textContent = name;
  element("selected-remark").textContent = remark;
  slider.value = index;
  const values = readings.map((each) => each.join(" "));
  slider.setAttribute("aria-valuetext", [name, ...values, remark].filter(Boolean).join(", "));
  charts.select(index);
}
