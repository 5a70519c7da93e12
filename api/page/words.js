// Format numbers, dates and times as text. Pure functions.

const LANGUAGE = "en-GB";
const NO_VALUE = "–";

const decimals = new Intl.NumberFormat(LANGUAGE, {
  minimumFractionDigits: 1,
  maximumFractionDigits: 1,
});
const whole = new Intl.NumberFormat(LANGUAGE);

// Days are calendar days without a zone; in UTC, formatting moves none of them.
const inUtc = (options) => new Intl.DateTimeFormat(LANGUAGE, { ...options, timeZone: "UTC" });
const longDay = inUtc({ weekday: "long", day: "numeric", month: "long", year: "numeric" });
const shortDay = inUtc({ weekday: "short", day: "numeric", month: "short", year: "numeric" });
const longMonth = inUtc({ month: "long", year: "numeric" });
const plainDay = inUtc({ day: "numeric", month: "long", year: "numeric" });

/** The Beaufort scale: the force below each mean wind speed in km/h. */
const FORCES = [
  [1, "calm"],
  [6, "light air"],
  [12, "a light breeze"],
  [20, "a gentle breeze"],
  [29, "a moderate breeze"],
  [39, "a fresh breeze"],
  [50, "a strong breeze"],
  [62, "a near gale"],
  [75, "a gale"],
  [89, "a strong gale"],
  [103, "a storm"],
  [118, "a violent storm"],
  [Infinity, "a hurricane"],
];

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A value with one decimal and a true minus; a dash when it is missing. */
export function number(value) {
  return value === null ? NO_VALUE : decimals.format(value).replace("-", "−");
}

/** A value with its unit. */
export function quantity(value, unit) {
  return value === null ? NO_VALUE : `${number(value)} ${unit}`;
}

export const celsius = (value) => quantity(value, "°C");

export const capitalized = (text) => `${text[0].toUpperCase()}${text.slice(1)}`;

/** A count with its noun, as in "1 day" and "1,200 days". */
export function count(many, noun) {
  return `${whole.format(many)} ${noun}${many === 1 ? "" : "s"}`;
}

/** A date like 2026-11-24 in words. */
export const dayInFull = (date) => longDay.format(new Date(date));
export const dayInShort = (date) => shortDay.format(new Date(date));
export const dayPlainly = (date) => plainDay.format(new Date(date));
export const month = (date) => longMonth.format(new Date(date));

/** From one day (or month) to another, as in "26 October – 24 November 2026". */
export function range(first, last, step) {
  const form = step === "day" ? plainDay : longMonth;
  return form.formatRange(new Date(first), new Date(last));
}

/**
 * A time as the city's local time, as in "Tue 24 Nov, 05:00 (UTC+1)"; `offset` is in minutes.
 * The browser's time-zone rules may be older than the API's.
 */
export function moment(time, offset) {
  const parts = { weekday: "short", day: "numeric", month: "short" };
  const local = time + (offset ?? 0) * MINUTE;
  return `${inUtc(parts).format(local)}, ${hour(time, offset)} (${zone(offset ?? 0)})`;
}

/** The local time without the date, as in "05:00". */
export function hour(time, offset) {
  const parts = { hour: "2-digit", minute: "2-digit" };
  return inUtc(parts).format(time + (offset ?? 0) * MINUTE);
}

function zone(offset) {
  if (offset === 0) return "UTC";
  const [hours, minutes] = [Math.floor(Math.abs(offset) / 60), Math.abs(offset) % 60];
  const rest = minutes === 0 ? "" : `:${String(minutes).padStart(2, "0")}`;
  return `UTC${offset > 0 ? "+" : "−"}${hours}${rest}`;
}

/** A duration in milliseconds, as in "12 minutes". */
export function duration(milliseconds) {
  if (milliseconds < MINUTE) return "less than a minute";
  if (milliseconds < 2 * HOUR) return count(Math.floor(milliseconds / MINUTE), "minute");
  if (milliseconds < 2 * DAY) return count(Math.floor(milliseconds / HOUR), "hour");
  return count(Math.floor(milliseconds / DAY), "day");
}

/** The Beaufort scale's word for a mean speed in km/h. */
export function force(speed) {
  return FORCES.find(([limit]) => speed < limit)[1];
}

/** An hour's rain in mm in words, by the limits of the German weather service. */
export function wetness(rain) {
  if (rain === 0) return "no rain";
  if (rain < 2.5) return "light rain";
  return rain < 10 ? "moderate rain" : "heavy rain";
}

/** A day's values in a sentence. */
export function sentence({ lowest, highest, rain, wind }) {
  const parts = [];
  if (lowest !== null) parts.push(`between ${number(lowest)} and ${celsius(highest)}`);
  if (rain !== null) parts.push(rain > 0 ? `${quantity(rain, "mm")} of rain` : "no rain");
  if (wind !== null) parts.push(`${force(wind)} on average`);
  if (parts.length === 0) return "No values yet.";
  return `${capitalized(new Intl.ListFormat(LANGUAGE).format(parts))}.`;
}

/** A whole day's mean temperature against the mean of other whole days. */
export function comparison(day, usual, days) {
  const mean = `${dayInFull(day.date)}, the newest whole day, had ${celsius(day.average)} on average`;
  const one = "the other whole day below";
  const others = days === 1 ? one : `the mean of the ${whole.format(days)} other whole days below`;
  const difference = day.average - usual;
  if (Math.abs(difference) < 0.05) return `${mean}, as much as ${others}.`;
  const kind = difference > 0 ? "warmer" : "colder";
  return `${mean}: ${celsius(Math.abs(difference))} ${kind} than ${others}.`;
}

/** A time in the reader's time zone, as in "at 12:03". */
export function clock(time) {
  const hourAndMinute = { hour: "2-digit", minute: "2-digit" };
  return `at ${new Intl.DateTimeFormat(LANGUAGE, hourAndMinute).format(time)}`;
}

/** The number of hours of an incomplete day, or of complete days of an incomplete month. */
export function share({ hours, completeDays }) {
  return completeDays === null ? count(hours, "hour") : count(completeDays, "complete day");
}

/** The value of a variable in a row of its chart. */
export function reading({ id, unit }, row) {
  if (row === null) return "no data";
  const { lowest, highest, average } = row;
  const value = id === "temperature" ? lowest : row[id];
  if (value === null) return "no value";
  if (id !== "temperature") return quantity(value, unit);
  return `${number(lowest)} to ${quantity(highest, unit)}, average ${number(average)}`;
}

/** A date on a chart's axis. */
export const tick = (date, options) => inUtc(options).format(date);
