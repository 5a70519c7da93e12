// The hatching behind the columns of incomplete days.

const TILE = 6; // pixels of the screen
const NARROWEST = 4;

/** Fill the columns at these indexes with hatching; `width` is the width of a column in seconds. */
export function hatch(chart, { time }, indexes, width, colour) {
  const { ctx: context, bbox: box } = chart;
  const ratio = window.devicePixelRatio;
  context.save();
  context.beginPath();
  context.rect(box.left, box.top, box.width, box.height);
  context.clip();
  context.fillStyle = hatching(context, colour, ratio);
  for (const index of indexes) {
    const left = chart.valToPos(time[index] - width / 2, "x", true);
    const right = chart.valToPos(time[index] + width / 2, "x", true);
    const lacking = Math.max(NARROWEST * ratio - (right - left), 0);
    context.fillRect(left - lacking / 2, box.top, right - left + lacking, box.height);
  }
  context.restore();
}

function hatching(context, colour, ratio) {
  const tile = document.createElement("canvas");
  const size = TILE * ratio;
  tile.width = size;
  tile.height = size;
  const drawing = tile.getContext("2d");
  drawing.strokeStyle = colour;
  drawing.lineWidth = 1.25 * ratio;
  for (const shift of [-size, 0, size]) {
    drawing.moveTo(shift, size);
    drawing.lineTo(shift + size, 0);
  }
  drawing.stroke();
  return context.createPattern(tile, "repeat");
}
