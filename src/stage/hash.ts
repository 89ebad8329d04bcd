const prime = 0x01000193;
const offset = 0x811c9dc5;
const numbers = new Float64Array(1);
const halves = new Uint32Array(numbers.buffer);

/** Levels of an event that are looked at. */
const depth = 8;

/**
 * A whole number below `count` that depends on what the value is made of, not on which object it is: the same in every
 * run and on every machine, evenly spread. The order of an object's members does not matter; functions, symbols and what
 * lies deeper than 8 levels count by their kind.
 */
export function stableHash(value: unknown, count: number): number {
  let mixed = hash(value, depth);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  mixed ^= mixed >>> 16;
  return Math.floor(((mixed >>> 0) / 0x1_0000_0000) * count);
}

const step = (hash: number, value: number): number => Math.imul(hash ^ value, prime);

function ofText(kind: number, text: string): number {
  let hash = step(offset, kind);
  for (let index = 0; index < text.length; index++) hash = step(hash, text.charCodeAt(index));
  return hash;
}

function hash(value: unknown, levels: number): number {
  if (typeof value === "string") return ofText(1, value);
  if (typeof value === "number") {
    // Negative zero is zero.
    numbers[0] = value + 0;
    return step(step(step(offset, 2), halves[0]!), halves[1]!);
  }
  if (typeof value === "boolean" || typeof value === "bigint") return ofText(3, String(value));
  if (typeof value !== "object" || value === null) return ofText(4, typeof value);
  return levels === 0 ? step(offset, 5) : ofObject(value, levels - 1);
}

function ofObject(value: object, levels: number): number {
  if (value instanceof Date) return step(hash(value.getTime(), 0), 7);
  if (Symbol.iterator in value) {
    let all = step(offset, 8);
    for (const one of value as Iterable<unknown>) all = step(all, hash(one, levels));
    return all;
  }
  let all = step(offset, 9);
  for (const [key, member] of Object.entries(value))
    all = (all + step(ofText(10, key), hash(member, levels))) | 0;
  return all;
}
