// The values of the charts as a table.

import { VARIABLES } from "./variables.js";
import * as words from "./words.js";

const details = document.getElementById("table");
const frame = details.querySelector(".scroll");

const COLUMNS = VARIABLES.flatMap(({ id, label, unit }) =>
  id === "temperature"
    ? ["lowest", "average", "highest"].map((name) => [`${words.capitalized(name)} ${unit}`, name])
    : [[`${label} ${unit}`, id]],
);

let pending = null;

details.addEventListener("toggle", () => {
  if (details.open) build();
});

/** Show these rows, the newest first; the table is built when it is opened. */
export function showTable(rows, step, caption) {
  pending = { rows, step, caption };
  frame.replaceChildren();
  if (details.open) build();
}

function build() {
  if (pending === null) return;
  const { rows, step, caption } = pending;
  pending = null;
  const table = document.createElement("table");
  table.createCaption().textContent = caption;
  table.caption.id = "table-caption";
  const head = table.createTHead().insertRow();
  const first = step === "day" ? "Day" : "Month";
  for (const title of [first, ...COLUMNS.map(([name]) => name), "Complete"]) {
    head.append(heading("col", title));
  }
  const body = table.createTBody();
  for (const row of rows) {
    const line = body.insertRow();
    line.classList.toggle("incomplete", !row.complete);
    const name = step === "day" ? words.dayInShort(row.date) : words.month(row.date);
    line.append(heading("row", name));
    for (const [, column] of COLUMNS) line.insertCell().textContent = words.number(row[column]);
    line.insertCell().textContent = row.complete ? "yes" : `no, ${words.share(row)}`;
  }
  frame.replaceChildren(table);
}

function heading(scope, text) {
  const cell = document.createElement("th");
  cell.scope = scope;
  cell.textContent = text;
  return cell;
}
