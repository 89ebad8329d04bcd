import { describe, expect, it } from "vitest";
import { refuseOrigin } from "./same-origin.ts";

const hosts = ["logs.example.com"];

describe("refuseOrigin", () => {
  it.each([
    ["localhost:4000", undefined],
    ["127.0.0.1:4000", undefined],
    ["[::1]:4000", undefined],
    ["192.168.1.9", undefined],
    ["Logs.Example.com:4000", undefined],
    ["localhost:4000", "http://localhost:4000"],
    ["LOCALHOST:4000", "http://localhost:4000"],
    ["[::1]:4000", "http://[::1]:4000"],
    ["localhost", "http://localhost"],
    ["localhost:80", "http://localhost"],
  ])("lets host %s with origin %s pass", (host, origin) => {
    expect(refuseOrigin({ host, origin }, hosts)).toBeUndefined();
  });

  it.each([
    ["localhost:4000", "http://evil.example"],
    ["localhost:4000", "null"],
    ["localhost:4000", "file://"],
    ["localhost:4000", ""],
    ["localhost:4000", "https://localhost:4000"],
    ["localhost:4000", "http://localhost:4001"],
    ["localhost:4000", "http://localhost"],
    ["localhost:4000", "http://127.0.0.1:4000"],
    ["localhost:4000", "http://localhost:4000.evil.example"],
    ["localhost:4000", "http://evil@localhost:4000"],
    ["localhost:4000", "http://localhost:4000/"],
  ])("refuses on host %s the origin %s (R72)", (host, origin) => {
    expect(refuseOrigin({ host, origin }, hosts)).toContain("origin");
  });

  it.each([
    undefined,
    "",
    "evil.example:4000",
    "evil-logs.example.com",
    "logs.example.com.evil.example",
    "localhost.evil.example",
    "localhost:4000@evil.example",
    "evil.example#localhost",
    "localhost:",
    "localhost:4000:1",
  ])(
    "serves nothing under the host %s, even where the origin is the same: a name that was pointed here (R86)",
    (host) => {
      expect(refuseOrigin({ host, origin: `http://${host ?? ""}` }, hosts)).toContain("host");
    },
  );

  it("lets no request with a cookie pass without an origin", () => {
    expect(refuseOrigin({ host: "localhost", cookie: "a=1" }, hosts)).toContain("cookie");
    expect(
      refuseOrigin({ host: "localhost", origin: "http://localhost", cookie: "a=1" }, hosts),
    ).toBeUndefined();
  });
});
