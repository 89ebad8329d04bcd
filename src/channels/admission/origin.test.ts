import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type OriginOptions,
  type RequestFacts,
  allowedHost,
  allowedOrigin,
  originPolicy,
} from "./origin.ts";

const own: RequestFacts = {
  origin: undefined,
  host: "localhost:4000",
  isSecure: false,
  hasCookie: false,
};
const isLetIn = (
  origin: string | undefined,
  options: OriginOptions = {},
  request: Partial<RequestFacts> = {},
): boolean => allowedOrigin({ ...own, ...request, origin }, originPolicy(options)).allowed;
const isAsked = (host: string | undefined, options: OriginOptions = {}): boolean =>
  allowedHost(host, originPolicy(options)).allowed;
const app = { allowedHosts: ["app.example.com"] };
const atApp = { host: "app.example.com" };

describe("allowedOrigin, when nothing is said (R72)", () => {
  it("lets the endpoint's own page in: same scheme, host and port", () => {
    expect(isLetIn("http://localhost:4000")).toBe(true);
    expect(isLetIn("http://127.0.0.1:4000", {}, { host: "127.0.0.1:4000" })).toBe(true);
    expect(isLetIn("http://[::1]:4000", {}, { host: "[::1]:4000" })).toBe(true);
    expect(isLetIn("http://localhost", {}, { host: "localhost" })).toBe(true);
    expect(isLetIn("http://localhost", {}, { host: "localhost:80" })).toBe(true);
    expect(isLetIn("https://app.example.com", app, { ...atApp, isSecure: true })).toBe(true);
    expect(isLetIn("HTTPS://APP.Example.com:443", app, { ...atApp, isSecure: true })).toBe(true);
  });

  it.each([
    "http://localhost:4001",
    "http://localhost",
    "https://localhost:4000",
    "http://127.0.0.1:4000",
    "http://evil.example:4000",
    "http://localhost.evil.example:4000",
    "http://evil-localhost:4000",
    "http://localhost.:4000",
    "http://xn--lclhost-9zaa:4000",
  ])("keeps %s out", (origin) => {
    expect(isLetIn(origin)).toBe(false);
  });

  it.each([
    "null",
    "",
    "file://",
    "file:///etc/passwd",
    "about:blank",
    "data:text/html,x",
    "localhost:4000",
    "//localhost:4000",
    "http://",
    "http:// localhost:4000",
    "http://localhost:4000/",
    "http://localhost:4000/page",
    "http://localhost:4000?x",
    "http://localhost:4000#x",
    "http://localhost:4000\\@evil.example",
    "http://user@localhost:4000",
    "http://localhost:4000@evil.example",
    "http://localhost:4000, http://evil.example",
    "http://%6cocalhost:4000",
    "http://localhost:99999999",
    "http://localhost:",
    "http://[::1",
  ])("refuses the hostless or unparsable %j", (origin) => {
    expect(isLetIn(origin)).toBe(false);
  });

  it("lets programs in, which send no Origin, unless they bring a cookie", () => {
    expect(isLetIn(undefined)).toBe(true);
    expect(isLetIn(undefined, {}, { hasCookie: true })).toBe(false);
    expect(isLetIn("http://localhost:4000", {}, { hasCookie: true })).toBe(true);
  });

  it("keeps a page out that rebound its own name to this address: Origin and Host agree, but the Host is not ours", () => {
    expect(isLetIn("http://evil.example:4000", {}, { host: "evil.example:4000" })).toBe(false);
    expect(isLetIn("http://localhost:4000", {}, { host: undefined })).toBe(false);
  });

  it("does not take the word of a proxy for the scheme: such an origin is listed", () => {
    expect(isLetIn("https://app.example.com", app, atApp)).toBe(false);
    expect(
      isLetIn(
        "https://app.example.com",
        { ...app, checkOrigin: ["https://app.example.com"] },
        atApp,
      ),
    ).toBe(true);
  });

  it("says why, and nothing of what was sent", () => {
    const verdict = allowedOrigin({ ...own, origin: "http://secret.example" }, originPolicy());
    expect(verdict).toEqual({
      allowed: false,
      reason: "the Origin is not this endpoint's own; list it in checkOrigin",
    });
  });
});

describe("checkOrigin (L65)", () => {
  it.each<[string, string, boolean]>([
    ["https://example.com", "https://example.com", true],
    ["https://example.com", "https://example.com:443", true],
    ["https://example.com", "https://example.com:8443", false],
    ["https://example.com", "http://example.com", false],
    ["https://example.com", "https://sub.example.com", false],
    ["https://example.com", "https://example.com.evil.example", false],
    ["http://localhost:5173", "http://localhost:5173", true],
    ["http://localhost:5173", "http://localhost:5174", false],
    ["localhost:5173", "https://localhost:5173", true],
    ["//example.com", "http://example.com:1234", true],
    ["//example.com", "https://example.com", true],
    ["example.com", "https://example.com", true],
    ["//example.com:8080", "http://example.com", false],
    ["https://*.example.com", "https://example.com", true],
    ["https://*.example.com", "https://a.b.example.com", true],
    ["https://*.example.com", "http://a.example.com", false],
    ["//*.example.com", "https://x-example.com", false],
    ["*.example.com", "https://evilexample.com", false],
    ["*.example.com", "https://example.com.evil", false],
    ["*.example.com", "https://a.EXAMPLE.com", true],
    ["https://bücher.example", "https://xn--bcher-kva.example", true],
    ["ionic://localhost", "ionic://localhost", true],
    ["ionic://localhost", "http://localhost", false],
  ])("%s for %s: %s", (entry, origin, expected) => {
    expect(isLetIn(origin, { checkOrigin: [entry] })).toBe(expected);
  });

  it("adds to the endpoint's own page", () => {
    expect(isLetIn("http://localhost:4000", { checkOrigin: ["https://example.com"] })).toBe(true);
  });

  it("belongs to its mount: two policies do not share (L65)", () => {
    const first = originPolicy({ checkOrigin: ["https://a.example"] });
    const second = originPolicy({ checkOrigin: ["https://b.example"] });
    const request = { ...own, origin: "https://a.example" };
    expect([first, second].map((policy) => allowedOrigin(request, policy).allowed)).toEqual([
      true,
      false,
    ]);
  });

  it.each([
    "*",
    "",
    "https://",
    "https://*",
    "http://*.",
    "https://exa*mple.com",
    "https://example.com/path",
    "https://a b",
    "*.*.com",
  ])("refuses the entry %j when it is read", (entry) => {
    expect(() => originPolicy({ checkOrigin: [entry] })).toThrow(
      expect.objectContaining({ code: "SLUICE_INVALID_OPTION" }),
    );
  });

  it("never lets a host in that is not below by whole labels", () => {
    const label = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
    fc.assert(
      fc.property(label, label, (before, name) => {
        const options = { checkOrigin: [`https://*.${name}.example`] };
        expect(isLetIn(`https://${before}.${name}.example`, options)).toBe(true);
        expect(isLetIn(`https://${before}${name}.example`, options)).toBe(false);
        expect(isLetIn(`https://${name}.example.${before}`, options)).toBe(false);
      }),
    );
  });

  it("lets everybody in only where that is said", () => {
    for (const origin of ["https://evil.example", "null", undefined]) {
      expect(isLetIn(origin, { dangerouslyAllowAnyOrigin: true }, { hasCookie: true })).toBe(true);
    }
  });
});

describe("allowedHost (3.6: DNS rebinding)", () => {
  it("knows loopback's names and the bound host, on any port", () => {
    for (const host of [
      "localhost",
      "localhost:4000",
      "LOCALHOST:1",
      "127.0.0.1:4000",
      "[::1]:4000",
    ])
      expect(isAsked(host)).toBe(true);
    expect(isAsked("192.168.1.5:4000", { host: "192.168.1.5" })).toBe(true);
    expect(isAsked("[fe80::1]", { host: "fe80::1" })).toBe(true);
    expect(isAsked("192.168.1.6:4000", { host: "192.168.1.5" })).toBe(false);
  });

  it.each([
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "evil.example:4000",
    "",
    "localhost/x",
    "a@localhost",
    undefined,
  ])("refuses %j", (host) => {
    expect(isAsked(host)).toBe(false);
  });

  it("takes any address, and no name, where the server listens on all", () => {
    for (const host of ["0.0.0.0", "::"]) {
      expect(isAsked("192.168.1.5:4000", { host })).toBe(true);
      expect(isAsked("[2001:db8::1]:4000", { host })).toBe(true);
      expect(isAsked("evil.example", { host })).toBe(false);
    }
  });

  it("takes the hosts that are listed, below a name by whole labels", () => {
    const options = { allowedHosts: ["app.example.com", "*.example.org"] };
    for (const host of ["app.example.com", "app.example.com:443", "example.org", "a.b.example.org"])
      expect(isAsked(host, options)).toBe(true);
    for (const host of ["example.com", "x.app.example.com", "evilexample.org"])
      expect(isAsked(host, options)).toBe(false);
  });

  it.each(["*", "https://example.com", "//example.com", "example.com:80", ""])(
    "refuses the entry %j when it is read",
    (entry) => {
      expect(() => originPolicy({ allowedHosts: [entry] })).toThrow(
        expect.objectContaining({ code: "SLUICE_INVALID_OPTION" }),
      );
    },
  );
});

describe("origin and host, whatever comes (R81)", () => {
  it("give a verdict for every text, fast", () => {
    const policy = originPolicy({ checkOrigin: ["https://*.example.com"] });
    const noise = fc
      .array(
        fc.constantFrom(
          "http",
          ":",
          "//",
          "/",
          "[",
          "]",
          "@",
          "%",
          ".",
          "a",
          "1",
          "*",
          ",",
          "\\",
          " ",
          "é",
        ),
      )
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), noise), (value) => {
        expect(typeof allowedOrigin({ ...own, origin: value, host: value }, policy).allowed).toBe(
          "boolean",
        );
      }),
      { numRuns: 2_000 },
    );
    for (const long of [
      "a.".repeat(25_000),
      `http://${"a-".repeat(25_000)}`,
      `${"a".repeat(50_000)}://`,
      "[".repeat(50_000),
    ]) {
      expect(allowedOrigin({ ...own, origin: long, host: long }, policy).allowed).toBe(false);
    }
  });
});
