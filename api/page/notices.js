// What is wrong, said on top of the page: no data yet, data that is late, an API that is silent.

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

/** The API gave no answer. */
export function unreachable(shownSince) {
  const kept = shownSince ? ` What you see is what it said ${words.clock(shownSince)}.` : "";
  return {
    title: "The API cannot be reached.",
    detail: `It is asked again every few seconds.${kept}`,
  };
}

/** The data are a replay. */
export function replay({ replay, attribution }) {
  if (!replay) return [];
  const [title, detail] = attribution.split(": ");
  return [{ title: `${title}.`, detail: `${detail[0].toUpperCase()}${detail.slice(1)}.` }];
}

/** The page fails at what the API answered. */
export function defect() {
  return {
    title: "This page has a defect.",
    detail:
      "What you see may be old or wrong. It tries again every few seconds, and the browser's " +
      "console says what failed.",
  };
}

/** The API answered that it cannot. */
export function refused(reason) {
  return { title: "The data cannot be read at the moment.", detail: reason };
}

/** The location has no data. */
export function empty(location, readiness) {
  const reason = readiness.problem ? `${readiness.problem} ` : "";
  return {
    title: `There is no data for ${location.name} yet.`,
    detail: `${reason}Its days are here a few seconds after weather_pipeline has run in Airflow.`,
  };
}

/** The address names a location that is none. */
export function unknown(id, location) {
  return {
    title: `There is no city “${id}”.`,
    detail: `This is ${location.name}; the others are in the list above.`,
  };
}

/** What keeps the data from being the newest, if anything does. */
export function staleness(location, readiness, now) {
  if (readiness.problem) {
    return [{
      title: "This may not be the newest data.",
      detail: `${readiness.problem} Until then the last good data is shown.`,
    }];
  }
  if (!isLate(location, now)) return [];
  return [{
    title: `The newest hour is ${words.duration(now - location.newestHour)} old.`,
    detail: "The pipeline should have published newer ones: see weather_pipeline in Airflow.",
  }];
}
