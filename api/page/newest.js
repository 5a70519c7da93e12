// The newest hour in figures, the newest day in a sentence, and how fresh they are.

import { extremes, mean } from "./columns.js";
import { VARIABLES } from "./variables.js";
import * as words from "./words.js";

const HOUR = 3_600_000; // milliseconds

const REMARKS = { rain: words.wetness, wind: words.force };

const element = (id) => document.getElementById(id);

/** Age from which the newest hour is late: the setting WEATHER_FRESH_HOURS, as in the alert. */
const LATE = Number(element("weather").dataset.freshHours) * HOUR;

for (const { id } of VARIABLES) {
  const figure = element("figure").content.cloneNode(true);
  figure.firstElementChild.className = id;
  figure.querySelector("dt").id = `${id}-label`;
  figure.querySelector(".figure").id = id;
  figure.querySelector(".remark").id = `${id}-remark`;
  element("figures").append(figure);
}

/** Whether hours are missing that should be there by now. */
export function isLate(location, now) {
  return location.newestHour !== null && now - location.newestHour >= LATE;
}

/**
 * Show a location's newest hour and newest day, beside the rows of the period that is shown:
 * its days, or its months, with which no day is compared.
 */
export function showNewest(location, hour, day, rows, step) {
  const hours = day.complete ? "the whole day" : `${words.count(day.hours, "hour")} so far`;
  const texts = {
    name: location.name,
    ...Object.assign({}, ...VARIABLES.map((variable) => figureTexts(variable, hour))),
    "newest-day": `${words.dayInFull(day.date)} · ${hours}`,
    sentence: words.sentence(day),
    comparison: step === "day" ? comparison(rows) : "",
  };
  for (const [id, text] of Object.entries(texts)) element(id).textContent = text;
  showSpan(day, rows, step);
  element("newest").hidden = false;
}

/** The texts of a variable's figure, by their elements' ids. */
function figureTexts({ id, label, unit, preceding_hour: precedingHour }, hour) {
  const value = hour?.values[id] ?? null;
  const remark = REMARKS[id];
  const texts = {
    [`${id}-label`]: hour ? `${label} ${period(hour, precedingHour)}` : label,
    [id]: words.quantity(value, unit),
  };
  if (remark) texts[`${id}-remark`] = value === null ? "no value" : remark(value);
  return texts;
}

function period({ time, offset }, precedingHour) {
  const at = words.hour(time, offset);
  return precedingHour ? `${words.hour(time - HOUR, offset)}–${at}` : `at ${at}`;
}

/** The newest whole day against the other whole days: an unfinished one lacks its warm hours. */
function comparison(rows) {
  const [newest, ...others] = rows.filter(({ complete, average }) => complete && average !== null);
  if (others.length === 0) return "";
  return words.comparison(newest, mean(others, "average"), others.length);
}

/** Show when the newest hour was and when it came in, as seen now. */
export function showFreshness(location, hour, readiness, { replay }, now) {
  const parts = [];
  if (hour !== null) {
    const when = words.moment(hour.time, hour.offset);
    parts.push(`Newest hour ${when}, ${words.duration(now - hour.time)} ago`);
  } else {
    parts.push(`Newest day ${words.dayPlainly(location.last)}`);
  }
  if (readiness.published) {
    parts.push(`published ${words.duration(now - readiness.published)} ago`);
  }
  element("freshness").textContent = parts.join(" · ");
  const fresh = !isLate(location, now) && readiness.problem === null;
  const states = [replay && "Replay", !fresh && "Not up to date"].filter(Boolean);
  element("state").textContent = states.join(" · ") || "Up to date";
  element("state").classList.toggle("fresh", fresh && !replay);
}

/** Say nothing about any day. */
export function hideNewest() {
  element("newest").hidden = true;
}

/** Show the day's range within the period's, whose ends are the bar's ends. */
function showSpan(day, rows, step) {
  const { style } = element("span");
  const least = extremes(rows, "lowest")?.least.lowest ?? null;
  const greatest = extremes(rows, "highest")?.greatest.highest ?? null;
  const known = day.lowest !== null && greatest > least;
  const share = (value) => (known ? (100 * (value - least)) / (greatest - least) : 0);
  style.left = `${share(day.lowest)}%`;
  style.right = known ? `${100 - share(day.highest)}%` : "100%";
  element("lowest").textContent = words.number(least);
  element("highest").textContent = words.celsius(greatest);
  const shown = rows.length === 1 ? `the ${step}` : `the ${words.count(rows.length, step)}`;
  element("span-caption").textContent =
    `Coloured: this day. Whole bar: lowest to highest of ${shown} below.`;
}
