import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pairsOf, plainParams, readQuery } from "./params.ts";

const read = (query: string): unknown => {
  const read = readQuery(`${query}&vsn=2.0.0`);
  return read.kind === "params" ? JSON.parse(JSON.stringify(read.params)) : read.reason;
};
const refusal = (query: string): string | undefined => {
  const read = readQuery(query);
  return read.kind === "refused" ? read.reason : undefined;
};

describe("readQuery", () => {
  it("reads flat and nested params, percent-encoded or not", () => {
    expect(read("a=1&nested%5Bk%5D=v")).toEqual({ a: "1", nested: { k: "v" } });
    expect(read("a[b][c]=1&a[b][d]=2&a[e]=3")).toEqual({ a: { b: { c: "1", d: "2" }, e: "3" } });
    expect(read("list[0]=a&list[1]=b")).toEqual({ list: { 0: "a", 1: "b" } });
    expect(read("q=a+b%20c%26&empty=&bare")).toEqual({ q: "a b c&", empty: "", bare: "" });
  });

  it("tolerates the bare trailing & of the stock client's first poll", () => {
    expect(readQuery("user=u1&vsn=2.0.0&")).toEqual({
      kind: "params",
      params: { user: "u1" },
      version: "2.0.0",
    });
    expect(read("&&a=1&&")).toEqual({ a: "1" });
  });

  it("takes a name with odd brackets as it stands", () => {
    expect(read("a[=1&b]=2&[c]=3&d[e]f=4&g[[h]]=5")).toEqual({
      "a[": "1",
      "b]": "2",
      "[c]": "3",
      "d[e]f": "4",
      "g[[h]]": "5",
    });
  });

  it("lets the last of equal names count", () => {
    expect(read("a=1&a=2")).toEqual({ a: "2" });
    expect(read("a=1&a[b]=2")).toEqual({ a: { b: "2" } });
    expect(read("a[b]=2&a=1")).toEqual({ a: "1" });
  });

  it("gives records without a prototype: no name is special (R63)", () => {
    const result = readQuery(
      "__proto__[polluted]=1&constructor[prototype][polluted]=1&toString=x&vsn=2.0.0",
    );
    expect(result.kind).toBe("params");
    if (result.kind !== "params") return;
    expect(Object.getPrototypeOf(result.params)).toBeNull();
    expect(Object.keys(result.params)).toEqual(["__proto__", "constructor", "toString"]);
    expect(Object.getPrototypeOf(result.params["__proto__"])).toBeNull();
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  it("is bounded: 64 params, depth 8", () => {
    const params = (count: number): string =>
      Array.from({ length: count }, (_, n) => `p${n}=1`).join("&");
    expect(refusal(`vsn=2.0.0&${params(63)}`)).toBeUndefined();
    expect(refusal(`vsn=2.0.0&${params(64)}`)).toBe("more than 64 params");
    expect(refusal(`vsn=2.0.0&a${"[b]".repeat(7)}=1`)).toBeUndefined();
    expect(refusal(`vsn=2.0.0&a${"[b]".repeat(8)}=1`)).toBe("params nested deeper than 8");
  });

  it("takes every 1.0.x and 2.0.x; none is 1.0.0 (C14)", () => {
    for (const vsn of ["2.0.0", "2.0.7", "2.0.12"])
      expect(readQuery(`vsn=${vsn}`)).toEqual({ kind: "params", params: {}, version: "2.0.0" });
    for (const query of ["vsn=1.0.0", "vsn=1.0.3", ""])
      expect(readQuery(query)).toEqual({ kind: "params", params: {}, version: "1.0.0" });
  });

  it("refuses other versions", () => {
    for (const vsn of ["0.9.0", "1.1.0", "10.0.0", "2.1.0", "3.0.0", "20.0.0"]) {
      expect(refusal(`vsn=${vsn}`)).toBe(
        `requested transport version "${vsn}" does not match server's version requirements "~> 1.0.0, ~> 2.0.0"`,
      );
    }
  });

  it.each(["2", "2.0", "abc", "", "2.0.0\n", "2.0.0.0", "2.0.x", "%00"])(
    "refuses the incomplete version %j",
    (vsn) => {
      expect(refusal(`vsn=${encodeURIComponent(vsn)}`)).toBe("invalid transport version");
    },
  );

  it("refuses a version in brackets instead of failing over it", () => {
    expect(refusal("vsn[]=2.0.0")).toBe("invalid transport version");
  });

  it("gives a value for every text", () => {
    const piece = fc.constantFrom(
      "a",
      "[",
      "]",
      "%5B",
      "%",
      "%ff",
      "&",
      "=",
      "vsn",
      "2.0.0",
      "__proto__",
      "\ud800",
      "+",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "binary" }),
          fc.array(piece).map((pieces) => pieces.join("")),
        ),
        (query) => {
          expect(["params", "refused"]).toContain(readQuery(query).kind);
        },
      ),
      { numRuns: 5_000 },
    );
  });

  it("reads back what the stock client writes", () => {
    const name = fc
      .string({ unit: "grapheme", minLength: 1, maxLength: 5 })
      .filter((name) => !/[[\]]/.test(name) && name !== "vsn");
    const value = fc.string({ unit: "grapheme", maxLength: 5 });
    const nested = fc.dictionary(
      name,
      fc.oneof(value, fc.dictionary(name, value, { minKeys: 1, maxKeys: 4 })),
      { maxKeys: 5 },
    );
    const encode = (params: Readonly<Record<string, string | Record<string, string>>>): string[] =>
      Object.entries(params).flatMap(([key, value]) =>
        typeof value === "string"
          ? [`${encodeURIComponent(key)}=${encodeURIComponent(value)}`]
          : Object.entries(value).map(
              ([inner, value]) =>
                `${encodeURIComponent(`${key}[${inner}]`)}=${encodeURIComponent(value)}`,
            ),
      );
    fc.assert(
      fc.property(nested, (params) => {
        expect(read(encode(params).join("&"))).toEqual(JSON.parse(JSON.stringify(params)));
      }),
    );
  });
});

describe("pairsOf", () => {
  it("reads of any text what URLSearchParams reads", () => {
    const piece = fc.constantFrom(
      "?",
      "&",
      "=",
      "+",
      "%",
      "%41",
      "%ff",
      "%e4%bd%a0",
      "é",
      "\ud800",
      "~",
      "[",
      "a b",
    );
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.string({ unit: "grapheme-ascii" }),
      fc.array(fc.oneof(piece, fc.string({ maxLength: 2 }))).map((pieces) => pieces.join("")),
    );
    fc.assert(
      fc.property(text, (query) => {
        expect(pairsOf(query)).toEqual([...new URLSearchParams(query)]);
      }),
      { numRuns: 5_000 },
    );
  });
});

describe("plainParams", () => {
  it("keeps the params that are text", () => {
    const read = readQuery("token=t&filter[kind]=new&vsn=2.0.0");
    const plain = plainParams(read.kind === "params" ? read.params : {});
    expect({ ...plain }).toEqual({ token: "t" });
    expect(plain["constructor"]).toBeUndefined();
  });
});
