/** From numbers to pixels, and where an axis has its marks. */

/** From 0 to a round number above `most`, in about four steps. */
export function linear(most, [from, to]) {
  const step = roundStep(most / 4);
  const top = Math.max(step, Math.ceil((most * 1.0001) / step) * step);
  const ticks = Array.from({ length: Math.round(top / step) + 1 }, (_, at) => at * step);
  return { at: (value) => from + (value / top) * (to - from), ticks: ticks.map((tick) => Number(tick.toPrecision(6))) };
}

/** In powers of ten around all that is above 0; what is not is drawn at the edge. */
export function logarithmic(values, [from, to]) {
  const logs = values.filter((value) => value > 0).map(Math.log10);
  const low = Math.floor(Math.min(...logs));
  const high = Math.max(low + 1, Math.ceil(Math.max(...logs)));
  const at = (value) => from + ((Math.log10(Math.max(value, 10 ** low)) - low) / (high - low)) * (to - from);
  const ticks = Array.from({ length: high - low + 1 }, (_, index) => Number((10 ** (low + index)).toPrecision(6)));
  return { at, ticks };
}

/** The places that were measured are the ticks, evenly far apart in their logarithms. */
export function ofPlaces(places, [from, to]) {
  const [low, high] = [Math.log(Math.min(...places)), Math.log(Math.max(...places))];
  const span = high - low || 1;
  return { at: (value) => from + ((Math.log(value) - low) / span) * (to - from), ticks: places };
}

function roundStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 2.5, 5, 10].map((times) => times * power).find((step) => step >= least * 0.9999);
}
