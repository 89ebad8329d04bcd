import { describe, expect, it } from "vitest";
import { admit, maxBodyBytes, readBody } from "./post-events.ts";

const policy = { hosts: [] };
const local = { host: "localhost:4000" };

function status(
  headers: Readonly<Record<string, string>>,
  { token, partial = false }: { token?: string; partial?: boolean } = {},
): number | string {
  const admission = admit({ ...local, ...headers }, { ...policy, token }, partial);
  return "refusal" in admission ? admission.refusal.status : admission.format;
}

describe("admit", () => {
  it.each([
    ["application/json", "json"],
    ["Application/JSON; charset=UTF-8", "json"],
    ['application/x-ndjson;charset="utf-8"', "ndjson"],
    ["text/plain", 415],
    ["application/x-www-form-urlencoded", 415],
    ["application/json; charset=latin1", 415],
    ["application/json-seq", 415],
    ["", 415],
  ])("reads %j as %s", (type, expected) => {
    expect(status({ "content-type": type })).toBe(expected);
  });

  it("takes no compressed body, and streams NDJSON alone", () => {
    expect(status({ "content-type": "application/json", "content-encoding": "gzip" })).toBe(415);
    expect(status({ "content-type": "application/json" }, { partial: true })).toBe(415);
    expect(status({ "content-type": "application/x-ndjson" }, { partial: true })).toBe("ndjson");
  });

  it("refuses a body that says it is too large, unless it is streamed", () => {
    const headers = {
      "content-type": "application/x-ndjson",
      "content-length": String(maxBodyBytes + 1),
    };
    expect(status(headers)).toBe(413);
    expect(status(headers, { partial: true })).toBe("ndjson");
    expect(status({ ...headers, "content-length": String(maxBodyBytes) })).toBe("ndjson");
  });

  it("refuses another site's page before anything else, whatever it knows (R72)", () => {
    const headers = { "content-type": "application/json", authorization: "Bearer correct-horse" };
    expect(status({ ...headers, origin: "https://evil.example" }, { token: "correct-horse" })).toBe(
      403,
    );
    expect(status({ ...headers, host: "evil.example" }, { token: "correct-horse" })).toBe(403);
  });

  it("needs exactly the token (R73)", () => {
    const withToken = (authorization: string): number | string =>
      status(
        { "content-type": "application/json", ...(authorization !== "" && { authorization }) },
        { token: "correct-horse" },
      );
    expect(withToken("Bearer correct-horse")).toBe("json");
    expect(withToken("bearer  correct-horse")).toBe("json");
    for (const wrong of [
      "",
      "Bearer",
      "Bearer ",
      "correct-horse",
      "Basic correct-horse",
      "Bearer correct-hors",
      "Bearer correct-horses",
      "Bearer Correct-horse",
    ]) {
      expect(withToken(wrong)).toBe(401);
    }
  });
});

function read(text: string | Uint8Array, format: "json" | "ndjson", capacity = 100): unknown {
  const body = readBody(Buffer.from(text as string), format, capacity);
  return "refusal" in body ? { status: body.refusal.status, ...body.refusal.body } : body.payloads;
}

describe("readBody", () => {
  it("takes a JSON array as one event per element, anything else as one event", () => {
    expect(read('[{"a":1},2,[3]]', "json")).toEqual([{ a: 1 }, { data: 2 }, { data: [3] }]);
    expect(read('{"a":[1]}', "json")).toEqual([{ a: [1] }]);
    expect(read(" 7\n", "json")).toEqual([{ data: 7 }]);
    expect(read("[]", "json")).toEqual([]);
  });

  it("takes an NDJSON line as one event, empty lines as none", () => {
    expect(read('{"a":1}\r\n\n2', "ndjson")).toEqual([{ a: 1 }, { data: 2 }]);
    expect(read("", "ndjson")).toEqual([]);
  });

  it("names the first bad line, and the reason without what was in it", () => {
    expect(read('{"a":1}\n\n{"secret":}\nnonsense', "ndjson")).toEqual({
      status: 400,
      error: "line 3: not valid JSON",
      line: 3,
    });
    expect(read('[\n  {"a":1},\n  {"b" 2}\n]', "json")).toMatchObject({ status: 400, line: 3 });
    expect(read("[1,", "json")).toEqual({
      status: 400,
      error: "line 1: not valid JSON: it ends too early",
      line: 1,
    });
    expect(read(" ", "json")).toEqual({ status: 400, error: "the body is empty" });
  });

  it("refuses more events than could ever be taken at once", () => {
    expect(read("[1,2,3]", "json", 2)).toMatchObject({ status: 413 });
    expect(read("1\n2\n3\n", "ndjson", 2)).toMatchObject({ status: 413 });
    expect(read("1\n2\n", "ndjson", 2)).toHaveLength(2);
  });

  it("survives what is nested beyond measure (R62)", () => {
    expect(read("[".repeat(500_000), "json")).toMatchObject({ status: 400, line: 1 });
    expect(read(`1\n${'{"a":'.repeat(15_000)}`, "ndjson")).toMatchObject({ status: 400, line: 2 });
  });
});
