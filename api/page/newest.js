// The newest day in figures and a sentence, and how fresh it is.

import { extremes, mean } from "./columns.js";
import * as words from "./words.js";

const LATE = 3 * 3_600_000; // milliseconds; the pipeline publishes each hour
const LONG_AGO = 7 * 86_400_000; // from here on, the API may know the newest hour's day alone

const element = (id) => document.getElementById(id);

/** Whether hours are missing that should be there by now. */
export function isLate(location, now) {
  return location.newestHour !== null && now - location.newestHour > LATE;
}

/** Show a location's newest day, beside the rows of the period that is shown. */
export function showNewest(location, day, rows) {
  const hours = day.complete ? "the whole day" : `${words.count(day.hours, "hour")} so far`;
  const texts = {
    name: location.name,
    "newest-day": `${words.dayInFull(day.date)} · ${hours}`,
    temperature: words.celsius(day.average),
    lowest: words.number(day.lowest),
    highest: words.number(day.highest),
    rain: words.millimetres(day.rain),
    "rain-remark": day.rain === null ? "no value" : words.wetness(day.rain),
    wind: words.kilometresPerHour(day.wind),
    "wind-remark": day.wind === null ? "no value" : words.force(day.wind),
    sentence: words.sentence(day, mean(rows, "average")),
  };
  for (const [id, text] of Object.entries(texts)) element(id).textContent = text;
  showSpan(day, rows);
  element("newest").hidden = false;
}

/** Show when the newest hour was and when it came in, as seen now. */
export function showFreshness(location, readiness, { replay }, now) {
  const parts = [];
  if (now - location.newestHour > LONG_AGO) {
    parts.push(`Newest day ${words.dayPlainly(location.last)}`);
  } else if (location.newestHour !== null) {
    const hour = words.moment(location.newestHour, location.timezone);
    parts.push(`Newest hour ${hour} (${words.duration(now - location.newestHour)} ago)`);
  }
  if (readiness.published) {
    parts.push(`published ${words.duration(now - readiness.published)} ago`);
  }
  if (readiness.snapshot !== null) parts.push(`snapshot ${readiness.snapshot}`);
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

/** Place the day's range within the period's. */
function showSpan(day, rows) {
  const { style } = element("span");
  const least = extremes(rows, "lowest")?.least.lowest;
  const greatest = extremes(rows, "highest")?.greatest.highest;
  const known = day.lowest !== null && greatest > least;
  const share = (value) => (known ? (100 * (value - least)) / (greatest - least) : 0);
  style.left = `${share(day.lowest)}%`;
  style.right = known ? `${100 - share(day.highest)}%` : "100%";
}
