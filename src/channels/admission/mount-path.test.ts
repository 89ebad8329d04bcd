import { describe, expect, it } from "vitest";
import { MountPath } from "./mount-path.ts";

describe("MountPath (L1, L56)", () => {
  it("is one path, or has variables, which come decoded", () => {
    expect(new MountPath("/ws/admin").match("/ws/admin")).toEqual({});
    const path = new MountPath("/socket/:tenant/:room");
    expect(path.match("/socket/acme/a%20b")).toEqual({ tenant: "acme", room: "a b" });
    expect([new MountPath("/ws/admin").isExact, path.isExact]).toEqual([true, false]);
  });

  it("is no other path: shorter, longer, empty where a variable is, or not to be decoded", () => {
    const path = new MountPath("/socket/:tenant");
    for (const other of [
      "/socket",
      "/socket/",
      "/socket/a/b",
      "/sockets/a",
      "socket/a",
      "/socket/%",
      "/socket/%ff",
      "",
      `/socket/a${"/b".repeat(10_000)}`,
    ])
      expect([other, path.match(other)]).toEqual([other, undefined]);
  });

  it("hides variables that begin with an underscore", () => {
    expect(new MountPath("/:_any/socket").match("/x/socket")).toEqual({});
  });

  it("gives names that objects inherit as names (R63)", () => {
    const variables = new MountPath("/s/:constructor/:__proto").match("/s/a/b");
    expect(variables).toEqual({ constructor: "a" });
    expect(new MountPath("/s/:x").match("/s/__proto__")).toEqual({ x: "__proto__" });
    expect(Object.getPrototypeOf(variables)).toBeNull();
  });

  it.each(["", "socket", "/", "/socket/", "/a//b", "/a?b", "/:a/:a", "/:", "/:1", "/:a-b"])(
    "refuses %j as a mount",
    (path) => {
      expect(() => new MountPath(path)).toThrow(
        expect.objectContaining({ code: "SLUICE_INVALID_OPTION" }) as Error,
      );
    },
  );
});
