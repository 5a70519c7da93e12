// Rows as the columns that charts draw.

import { DAY_COLUMNS } from "./variables.js";

const DAY = 86_400; // seconds

/** A day's midnight in UTC, in seconds since 1970. */
const seconds = (date) => Date.parse(date) / 1000;

function following(time, step) {
  if (step === "day") return time + DAY;
  const date = new Date(time * 1000);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1) / 1000;
}

/**
 * Every day (or month) from the first row's to the last's, the oldest first: `time`, a list for
 * each value, and `rows`. A day without a row is null in all of them, so that charts show a gap.
 */
export function columns(newestFirst, step) {
  const known = new Map(newestFirst.map((row) => [seconds(row.date), row]));
  const first = seconds(newestFirst.at(-1).date);
  const last = seconds(newestFirst[0].date);
  const time = [];
  for (let each = first; each <= last; each = following(each, step)) time.push(each);
  const rows = time.map((each) => known.get(each) ?? null);
  const lists = Object.keys(DAY_COLUMNS).map((name) => [name, rows.map((row) => row?.[name] ?? null)]);
  return { step, time, rows, ...Object.fromEntries(lists) };
}

/** The rows with the least and the greatest value of a column; null when it has none. */
export function extremes(rows, name) {
  const having = rows.filter((row) => row !== null && row[name] !== null);
  if (having.length === 0) return null;
  return {
    least: having.reduce((best, row) => (row[name] < best[name] ? row : best)),
    greatest: having.reduce((best, row) => (row[name] > best[name] ? row : best)),
  };
}

/** The mean of a column's values; null when it has none. */
export function mean(rows, name) {
  const values = rows.map((row) => row?.[name] ?? null).filter((value) => value !== null);
  if (values.length === 0) return null;
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
