// The chosen location and period: two controls, and the page's URL.

const DAY = 86_400_000; // milliseconds
const DAYS = { "30-days": 30, "90-days": 90, "1-year": 365 };
const DAYS_DRAWN = 3 * 366; // above, several days share a pixel, so the charts show months

const city = document.getElementById("location");
const period = document.getElementById("period");

/** Read the choice from the URL; an unknown period becomes the first one. */
export function chosen() {
  const query = new URLSearchParams(window.location.search);
  const wanted = query.get("period");
  return {
    location: query.get("location"),
    period: [...period.querySelectorAll("input")].some(({ value }) => value === wanted)
      ? wanted
      : "30-days",
  };
}

/** Call `callback` after each choice, by a control or by the browser's back and forward buttons. */
export function onChoice(callback) {
  const choose = () => {
    const query = new URLSearchParams({
      location: city.value,
      period: period.querySelector(":checked").value,
    });
    window.history.pushState(null, "", `?${query}`);
    callback();
  };
  city.addEventListener("change", choose);
  period.addEventListener("change", choose);
  window.addEventListener("popstate", callback);
}

/** Show the locations and the current choice in the controls. */
export function showChoice(locations, location, wanted) {
  const known = [...city.options].map(({ value, text }) => `${value} ${text}`).join("\n");
  if (known !== locations.map(({ id, name }) => `${id} ${name}`).join("\n")) {
    city.replaceChildren(...locations.map(({ id, name }) => new Option(name, id)));
  }
  city.value = location.id;
  period.querySelector(`[value="${wanted}"]`).checked = true;
  city.disabled = false;
  period.disabled = false;
}

/** The period's first day and its step, `day` or `month`; it ends on the location's last day. */
export function extent(location, wanted) {
  const days = DAYS[wanted];
  if (days) {
    const start = new Date(Date.parse(location.last) - (days - 1) * DAY);
    return { step: "day", start: start.toISOString().slice(0, 10) };
  }
  const all = (Date.parse(location.last) - Date.parse(location.first)) / DAY + 1;
  return { step: all > DAYS_DRAWN ? "month" : "day", start: null };
}
