// The newest hour in figures, the newest day in a sentence, and how fresh they are.

import { extremes, mean } from "./columns.js";
import * as words from "./words.js";

const LATE = 3 * 3_600_000; // milliseconds; the pipeline publishes each hour
const HOUR = 3_600_000;

const element = (id) => document.getElementById(id);

/** Whether hours are missing that should be there by now. */
export function isLate(location, now) {
  return location.newestHour !== null && now - location.newestHour > LATE;
}

/**
 * Show a location's newest hour and newest day, beside the rows of the period that is shown:
 * its days, or its months, with which no day is compared.
 */
export function showNewest(location, hour, day, rows, step) {
  const at = hour && words.hour(hour.time, hour.offset);
  const before = hour && words.hour(hour.time - HOUR, hour.offset);
  const { temperature, rain, wind } = hour ?? { temperature: null, rain: null, wind: null };
  const hours = day.complete ? "the whole day" : `${words.count(day.hours, "hour")} so far`;
  const texts = {
    name: location.name,
    "temperature-label": hour ? `Temperature at ${at}` : "Temperature",
    "rain-label": hour ? `Rain ${before}–${at}` : "Rain",
    "wind-label": hour ? `Wind at ${at}` : "Wind",
    temperature: words.celsius(temperature),
    rain: words.millimetres(rain),
    "rain-remark": rain === null ? "no value" : words.wetness(rain),
    wind: words.kilometresPerHour(wind),
    "wind-remark": wind === null ? "no value" : words.force(wind),
    "newest-day": `${words.dayInFull(day.date)} · ${hours}`,
    sentence: words.sentence(day),
    comparison: step === "day" ? comparison(rows) : "",
  };
  for (const [id, text] of Object.entries(texts)) element(id).textContent = text;
  showSpan(day, rows, step);
  element("newest").hidden = false;
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
