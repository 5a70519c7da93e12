// Load and show the weather of the chosen location and period, again each minute.

import { chosen, extent, onChoice, showChoice } from "./choice.js";
import { hideHistory, showHistory } from "./history.js";
import { hideNewest, showFreshness, showNewest } from "./newest.js";
import * as notices from "./notices.js";
import * as source from "./source.js";

const RELOAD = 60_000; // milliseconds
const RETRY = 5_000;

const main = document.getElementById("weather");

let shown = { key: null, since: null };
let newestLoad = 0;
let timer = null;

/** Request the choice's data and show them; drop the responses of an older load. */
async function load() {
  newestLoad += 1;
  const mine = newestLoad;
  const current = () => mine === newestLoad;
  clearTimeout(timer);
  main.setAttribute("aria-busy", "true");
  let pause = RETRY;
  try {
    await show(current);
    pause = RELOAD;
  } catch (error) {
    if (current()) fail(error);
  } finally {
    if (current()) {
      main.setAttribute("aria-busy", "false");
      timer = setTimeout(load, pause);
    }
  }
}

async function show(current) {
  const [readiness, [locations, origin]] = await Promise.all([
    source.readiness(),
    source.locations(),
  ]);
  const wanted = chosen();
  const known = locations.find(({ id }) => id === wanted.location);
  const location = known ?? locations[0];
  const unknown = wanted.location && !known ? [notices.unknown(wanted.location, location)] : [];
  if (!current()) return;
  showSource(origin);
  showChoice(locations, location, wanted.period);
  document.title = `${location.name} · Weather${origin.replay ? " (replay)" : ""}`;
  if (location.last === null) {
    hideNewest();
    hideHistory();
    shown = { key: null, since: null };
    notices.showNotices(...unknown, notices.empty(location, readiness));
    return;
  }
  const period = extent(location, wanted.period);
  const [hour, latest, rows] = await Promise.all([
    source.newestHour(location.id),
    source.latest(location.id),
    source.rows(location.id, period.step, period.start),
  ]);
  if (!current()) return;
  const now = Date.now();
  const key = JSON.stringify([location.id, wanted.period, readiness.snapshot]);
  // Without new data, keep the selected day and the scroll position.
  if (shown.key !== key) {
    showNewest(location, hour, latest, rows, period.step);
    showHistory(location, rows, period);
  }
  shown = { key, since: now };
  showFreshness(location, hour, readiness, origin, now);
  notices.showNotices(
    ...notices.replay(origin),
    ...unknown,
    ...notices.staleness(location, readiness, now),
  );
}

/** Correct the footer of a page that was loaded before the first publication. */
function showSource({ attribution, licence }) {
  const shown = document.getElementById("attribution");
  if (attribution === null || shown.textContent === attribution) return;
  shown.textContent = attribution;
  document.querySelector("#licences a").href = licence;
}

function fail(error) {
  if (error instanceof source.Unreachable) {
    notices.showNotices(notices.unreachable(shown.since));
  } else if (error instanceof source.Refused) {
    notices.showNotices(notices.refused(error.message));
  } else {
    console.error(error);
    notices.showNotices(notices.defect());
  }
}

onChoice(load);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) load();
});
load();
