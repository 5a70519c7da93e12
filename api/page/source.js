// The page's requests to the API.

import { DAY_COLUMNS, VARIABLES } from "./variables.js";

const TIMEOUT = 15_000; // milliseconds

/** The API did not respond. */
export class Unreachable extends Error {}

/** The API responded with an error; the message is the problem's `detail`. */
export class Refused extends Error {}

const HOURS_READ = 48; // a location's last hours may have no value yet
const STEPS = { day: "weather/summary", month: "weather/monthly" };

/** Send a GET request; return the response and its JSON, or null if the body is not JSON. */
async function get(address) {
  try {
    const response = await fetch(address, {
      headers: { Accept: "application/json" },
      cache: "no-cache", // the browser sends If-None-Match with its cached response
      signal: AbortSignal.timeout(TIMEOUT),
    });
    // The connection may be lost here, too.
    return [response, parsed(await response.text())];
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
  const [response, json] = await get(address);
  if (!response.ok) {
    const status = `${response.status} ${response.statusText}`;
    throw new Refused(json?.detail ?? `The API returned ${status}.`);
  }
  // A truncated body, or the page of a proxy.
  if (json === null) throw new Unreachable();
  return [json, response];
}

/** The loaded snapshot, and the problem that keeps the API from loading a newer one. */
export async function readiness() {
  const [, report] = await get("readyz"); // 503 has the same fields as 200
  return {
    snapshot: report?.snapshot_id ?? null,
    published: report?.published_at ? new Date(report.published_at) : null,
    problem: report?.problem ?? null,
  };
}

/** All locations, the default one first, and the source of their data. */
export async function locations() {
  const [rows, response] = await content("locations");
  const [, licence] = /<([^>]*)>; rel="license"/.exec(response.headers.get("Link") ?? "") ?? [];
  const source = {
    attribution: response.headers.get("Attribution"),
    licence,
    replay: (response.headers.get("X-Weather-Source") ?? "").startsWith("replay"),
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

/** The URL of a location's rows by day or by month, from `start` on. */
export function address(location, step, start, format) {
  const query = new URLSearchParams({ location });
  if (start) query.set("start", start);
  if (format) query.set("format", format);
  return `${STEPS[step]}?${query}`;
}

/** The rows of all pages, the newest first. */
export async function rows(location, step, start) {
  const found = [];
  let next = address(location, step, start);
  while (next) {
    const [page, response] = await content(next);
    found.push(...page);
    const link = /<([^>]*)>; rel="next"/.exec(response.headers.get("Link") ?? "");
    next = link && new URL(link[1], response.url);
  }
  return found.map(named);
}

/** The newest day of a location. */
export async function latest(location) {
  const [row] = await content(`weather/latest?${new URLSearchParams({ location })}`);
  return named(row);
}

/**
 * The newest hour of a location that has a value, or null if the API returns an error. `offset` is
 * the local time's offset from UTC, in minutes; null without the header.
 */
export async function newestHour(location) {
  const query = new URLSearchParams({ location, limit: HOURS_READ });
  let hours;
  let response;
  try {
    [hours, response] = await content(`weather/hourly?${query}`);
  } catch (error) {
    // The page can show the days without the newest hour.
    if (error instanceof Refused) return null;
    throw error;
  }
  const rows = hours.map((row) => ({
    time: Date.parse(row.hour_timestamp),
    values: Object.fromEntries(VARIABLES.map(({ id, column }) => [id, row[column]])),
  }));
  const newest = rows.find(({ values }) => Object.values(values).some((value) => value !== null));
  return newest ? { ...newest, offset: offset(response.headers.get("X-Weather-Newest-Hour")) } : null;
}

/** The offset from UTC, in minutes, of a time like 2026-11-24T05:00:00+01:00. */
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
