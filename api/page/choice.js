// Which city and period are shown: kept in the page's address, chosen with its two controls.

const DAY = 86_400_000; // milliseconds
const DAYS = { "30-days": 30, "90-days": 90, "1-year": 365 };
const DAYS_DRAWN = 3 * 366; // past these, a pixel would have several days: months are drawn

const city = document.getElementById("location");
const period = document.getElementById("period");

/** What the address asks for; a period that is none is the first. */
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

/** Tell of every choice: by a control, or by going back and forth. */
export function onChoice(tell) {
  const choose = () => {
    const query = new URLSearchParams({
      location: city.value,
      period: period.querySelector(":checked").value,
    });
    window.history.pushState(null, "", `?${query}`);
    tell();
  };
  city.addEventListener("change", choose);
  period.addEventListener("change", choose);
  window.addEventListener("popstate", tell);
}

/** Let the controls show what there is to choose, and what is chosen. */
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

/** The first day of a period that ends on a location's last day, and whether months are drawn. */
export function extent(location, wanted) {
  const days = DAYS[wanted];
  if (days) {
    const start = new Date(Date.parse(location.last) - (days - 1) * DAY);
    return { step: "day", start: start.toISOString().slice(0, 10) };
  }
  const all = (Date.parse(location.last) - Date.parse(location.first)) / DAY + 1;
  return { step: all > DAYS_DRAWN ? "month" : "day", start: null };
}
