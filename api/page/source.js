// What the page asks the API for.

import { DAY_COLUMNS, VARIABLES } from "./variables.js";

const PATIENCE = 15_000; // milliseconds

/** The API gave no answer. */
export class Unreachable extends Error {}

/** The API answered that it cannot; the message is its own sentence. */
export class Refused extends Error {}

const HOURS_LOOKED_AT = 48; // a location's last hours may have no value yet
const STEPS = { day: "weather/summary", month: "weather/monthly" };

/** An answer and what it says in JSON, which is null where it is something else. */
async function answer(address) {
  try {
    const given = await fetch(address, {
      headers: { Accept: "application/json" },
      cache: "no-cache", // asks whether what the browser keeps is still the newest
      signal: AbortSignal.timeout(PATIENCE),
    });
    // The connection may be lost here, too.
    return [given, parsed(await given.text())];
  } catch {
    throw new Unreachable();
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function content(address) {
  const [given, told] = await answer(address);
  if (!given.ok) {
    throw new Refused(told?.detail ?? `The API answered ${given.status} ${given.statusText}.`);
  }
  // Cut off, or said by something that stands before the API.
  if (told === null) throw new Unreachable();
  return [told, given];
}

/** What the API says of its own data: the snapshot, and what keeps a newer one away. */
export async function readiness() {
  const [, told] = await answer("readyz"); // 503 tells as much as 200
  return {
    snapshot: told?.snapshot_id ?? null,
    published: told?.published_at ? new Date(told.published_at) : null,
    problem: told?.problem ?? null,
  };
}

/** Every location, the default one first, and whose data they have. */
export async function locations() {
  const [rows, given] = await content("locations");
  const [, licence] = /<([^>]*)>; rel="license"/.exec(given.headers.get("Link") ?? "") ?? [];
  const source = {
    attribution: given.headers.get("Attribution"),
    licence,
    replay: (given.headers.get("X-Weather-Source") ?? "").startsWith("replay"),
  };
  const found = rows.map((row) => ({
    id: row.id,
    name: row.name,
    first: row.first_date,
    last: row.last_date,
    newestHour: row.newest_hour ? new Date(row.newest_hour) : null,
  }));
  return [found, source];
}

/** Where the rows of a location are: each day's or each month's, from `start` on. */
export function address(location, step, start, format) {
  const query = new URLSearchParams({ location });
  if (start) query.set("start", start);
  if (format) query.set("format", format);
  return `${STEPS[step]}?${query}`;
}

/** Those rows, the newest first, however many answers they take. */
export async function rows(location, step, start) {
  const found = [];
  let next = address(location, step, start);
  while (next) {
    const [page, given] = await content(next);
    found.push(...page);
    const link = /<([^>]*)>; rel="next"/.exec(given.headers.get("Link") ?? "");
    next = link && new URL(link[1], given.url);
  }
  return found.map(named);
}

/** The newest day of a location. */
export async function latest(location) {
  const [row] = await content(`weather/latest?${new URLSearchParams({ location })}`);
  return named(row);
}

/**
 * The newest hour of a location that has a value; null where it cannot be read. `offset` is what
 * the city's clocks are ahead of UTC, in minutes; null where the API does not say so.
 */
export async function newestHour(location) {
  const query = new URLSearchParams({ location, limit: HOURS_LOOKED_AT });
  let told;
  let given;
  try {
    [told, given] = await content(`weather/hourly?${query}`);
  } catch (error) {
    // The days are worth more than the hour that is missing.
    if (error instanceof Refused) return null;
    throw error;
  }
  const rows = told.map((row) => ({
    time: Date.parse(row.hour_timestamp),
    values: Object.fromEntries(VARIABLES.map(({ id, column }) => [id, row[column]])),
  }));
  const newest = rows.find(({ values }) => Object.values(values).some((value) => value !== null));
  return newest ? { ...newest, offset: offset(given.headers.get("X-Weather-Newest-Hour")) } : null;
}

/** The minutes ahead of UTC in a moment like 2026-11-24T05:00:00+01:00. */
function offset(local) {
  const [, sign, hours, minutes] = /([+-])(\d\d):(\d\d)$/.exec(local ?? "") ?? [];
  if (!sign) return null;
  return (sign === "-" ? -1 : 1) * (60 * Number(hours) + Number(minutes));
}

function named(row) {
  return {
    date: row.date ?? row.month,
    ...Object.fromEntries(Object.entries(DAY_COLUMNS).map(([name, column]) => [name, row[column]])),
    hours: row.hours,
    completeDays: row.complete_days ?? null,
    complete: row.is_complete,
  };
}
