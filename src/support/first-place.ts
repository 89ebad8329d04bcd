/**
 * Of the places `0` to `count`, the first for which `holds`; `count` if it holds for none. Whatever holds for one place holds
 * for all behind it.
 */
export function firstPlace(count: number, holds: (place: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
