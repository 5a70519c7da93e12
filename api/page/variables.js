// The weather variables, from the entries of weather/variables.py that the API writes into the page.

/** Each variable of these entries with its `id` on the page, in the same order. */
export const VARIABLES = JSON.parse(document.getElementById("variables").textContent).map(
  (variable) => ({ ...variable, id: variable.label.toLowerCase() }),
);

const OF_TEMPERATURE = { min: "lowest", max: "highest", avg: "average" };

/** Names of a day's values, with their columns: three of temperature, one of each other variable. */
export const DAY_COLUMNS = Object.fromEntries(
  VARIABLES.flatMap(({ id, statistics }) =>
    id === "temperature"
      ? statistics.map((statistic) => [OF_TEMPERATURE[statistic.function], statistic.column])
      : [[id, statistics[0].column]],
  ),
);
