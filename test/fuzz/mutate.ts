// Frames that are nearly right: valid ones of each serializer, cut, doubled, joined and altered by a seed.

/** A number in [0, 1) from a seed, always the same ones. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Random = () => number;
const pick = <T>(random: Random, all: readonly T[]): T => all[Math.floor(random() * all.length)]!;

const refs = [null, "1", "", "42", 7, -0.5, "x".repeat(32), "x".repeat(33), "é"];
const names = [
  "room:1",
  "phoenix",
  "phx_join",
  "heartbeat",
  "",
  "__proto__",
  "constructor",
  "hasOwnProperty",
  "toString",
  "é€😀",
  "\ud800",
  "a\u0000b",
  "n".repeat(64),
  "n".repeat(256),
];
const payloads: readonly unknown[] = [
  {},
  { text: "hi" },
  [],
  null,
  "text",
  5,
  { a: [{ b: [1, 2, { c: null }] }] },
  { constructor: { prototype: { polluted: 1 } } },
  { since: { epoch: "e", offset: 3 }, "~": 1 },
];
const tokens = [
  "[",
  "]",
  "{",
  "}",
  '"',
  "\\",
  ",",
  ":",
  "null",
  "1e999",
  "-",
  "\\ud800",
  "\ud800",
  "\u0000",
  "\ufeff",
  '"__proto__":{"polluted":1},',
  '"topic":',
  '"ref":"9",',
  "[".repeat(70),
  "]".repeat(70),
  '{"a":'.repeat(80),
  ",0".repeat(30),
  `"${"\\".repeat(33)}`,
];

function text(random: Random, version: "v1" | "v2"): string {
  const [joinRef, ref] = [pick(random, refs), pick(random, refs)];
  const [topic, event] = [pick(random, names), pick(random, names)];
  const payload = pick(random, payloads);
  return version === "v2"
    ? JSON.stringify([joinRef, ref, topic, event, payload])
    : JSON.stringify({ topic, event, payload, ref, ...(random() < 0.3 && { join_ref: joinRef }) });
}

function bytes(random: Random): Buffer {
  const fields = [refs, refs, names, names].map((all) => Buffer.from(String(pick(random, all))));
  const data = Buffer.alloc(Math.floor(random() * 40), 0xa5);
  const lengths = fields.map(({ length }) => length & 0xff);
  const kind = random() < 0.8 ? 0 : Math.floor(random() * 6);
  return Buffer.concat([Buffer.of(kind, ...lengths), ...fields, data]);
}

/** A text frame, with up to four faults; some have none. */
export function textInput(random: Random, version: "v1" | "v2"): string {
  let input = text(random, random() < 0.9 ? version : version === "v1" ? "v2" : "v1");
  for (let faults = Math.floor(random() * 5); faults > 0; faults--) {
    const at = Math.floor(random() * (input.length + 1));
    const end = at + Math.floor(random() * 9);
    const [before, after] = [input.slice(0, at), input.slice(end)];
    const chance = random();
    if (chance < 0.45) input = before + pick(random, tokens) + after;
    else if (chance < 0.6) input = before + after;
    else if (chance < 0.7) input = before;
    else if (chance < 0.8) input = before + text(random, version).slice(-end) + after;
    else input = before + String.fromCharCode(Math.floor(random() * 0x10000)) + after;
  }
  return input;
}

/** A binary frame, likewise. */
export function bytesInput(random: Random): Uint8Array {
  let input = bytes(random);
  for (let faults = Math.floor(random() * 4); faults > 0; faults--) {
    const at = Math.floor(random() * (input.length + 1));
    const chance = random();
    if (chance < 0.3 && at < input.length) input[at] = Math.floor(random() * 256);
    else if (chance < 0.5 && input.length > 4)
      input[1 + Math.floor(random() * 4)] = pick(random, [0, 1, 127, 128, 254, 255]);
    else if (chance < 0.7) input = Buffer.from(input.subarray(0, at));
    else if (chance < 0.85) input = Buffer.concat([input.subarray(at), input]);
    else input = Buffer.concat([input.subarray(0, at), bytes(random)]);
  }
  return input;
}
