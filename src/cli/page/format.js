const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const fine = new Intl.NumberFormat("en", { maximumSignificantDigits: 2 });

/** A count: exact up to 99,999, then short. */
export function count(value) {
  if (!Number.isFinite(value)) return "–";
  return value < 100_000 ? whole.format(value) : short.format(value);
}

/** A rate: small ones with a digit after the point. */
export function rate(value) {
  return Number.isFinite(value) && value > 0 && value < 10 ? fine.format(value) : count(value);
}

/** A duration with its unit. */
export function duration(ms) {
  if (!Number.isFinite(ms)) return "–";
  if (ms >= 10_000) return `${whole.format(ms / 1_000)} s`;
  if (ms >= 1_000) return `${(ms / 1_000).toFixed(1)} s`;
  return `${ms < 10 ? fine.format(ms) : whole.format(ms)} ms`;
}

/** The time of day with seconds. */
export function clock(date) {
  return date.toTimeString().slice(0, 8);
}

const longest = 2_000;

function cut(text) {
  return text.length <= longest
    ? text
    : `${text.slice(0, longest)}… (${whole.format(text.length)} characters)`;
}

function text(value) {
  return cut(typeof value === "string" ? value : JSON.stringify(value));
}

/** A payload as pairs to show; `{ data }` is shown without its key. The key of Sluice itself, `"~"`, is not shown. */
export function pairs(payload) {
  const entries = Object.entries(payload).filter(([key]) => key !== "~");
  if (entries.length === 1 && entries[0][0] === "data")
    return [{ key: undefined, value: text(entries[0][1]) }];
  const shown = entries.slice(0, 50).map(([key, value]) => ({ key: cut(key), value: text(value) }));
  if (entries.length > shown.length)
    shown.push({ key: undefined, value: `… ${entries.length - shown.length} more` });
  return shown;
}
