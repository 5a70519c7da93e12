// Notices at the top of the page: no data, stale data, an unreachable API.

import { isLate } from "./newest.js";
import * as words from "./words.js";

const notices = document.getElementById("notices");

/** Show these notices, each a title and a sentence, and no others. */
export function showNotices(...wanted) {
  const text = wanted.map(({ title, detail }) => `${title}\n${detail}`).join("\n");
  // The same words said again would be read out again.
  if (notices.dataset.text === text) return;
  notices.dataset.text = text;
  notices.replaceChildren(
    ...wanted.map(({ title, detail }) => {
      const notice = document.createElement("div");
      notice.className = "notice";
      notice.append(paragraph("strong", title), paragraph("p", detail));
      return notice;
    }),
  );
}

function paragraph(kind, text) {
  const made = document.createElement(kind);
  made.textContent = text;
  return made;
}

/** The API does not respond. */
export function unreachable(shownSince) {
  const kept = shownSince ? ` The data shown were loaded ${words.clock(shownSince)}.` : "";
  return {
    title: "The API cannot be reached.",
    detail: `The page tries again every few seconds.${kept}`,
  };
}

/** The data are a replay. */
export function replay({ replay, attribution }) {
  if (!replay) return [];
  const [title, detail] = attribution.split(": ");
  return [{ title: `${title}.`, detail: `${detail[0].toUpperCase()}${detail.slice(1)}.` }];
}

/** The page fails with the API's response. */
export function defect() {
  return {
    title: "This page has a defect.",
    detail:
      "The data shown may be old or wrong. The page tries again every few seconds. See the " +
      "browser's console for the error.",
  };
}

/** The API responds with an error. */
export function refused(reason) {
  return { title: "The data cannot be read at the moment.", detail: reason };
}

/** The location has no data. */
export function empty(location, readiness) {
  const reason = readiness.problem ? `${readiness.problem} ` : "";
  return {
    title: `There is no data for ${location.name} yet.`,
    detail: `${reason}Run weather_pipeline in Airflow: the page shows its days a few seconds later.`,
  };
}

/** The URL names an unknown location. */
export function unknown(id, location) {
  return {
    title: `Unknown city “${id}”.`,
    detail: `The page shows ${location.name}. Choose another city in the list above.`,
  };
}

/** Why the data may be stale, if they may. */
export function staleness(location, readiness, now) {
  if (readiness.problem) {
    return [{
      title: "This may not be the newest data.",
      detail: `${readiness.problem} The page shows the last loaded data.`,
    }];
  }
  if (!isLate(location, now)) return [];
  return [{
    title: `The newest hour is ${words.duration(now - location.newestHour)} old.`,
    detail: "The pipeline should have published newer hours: see weather_pipeline in Airflow.",
  }];
}
