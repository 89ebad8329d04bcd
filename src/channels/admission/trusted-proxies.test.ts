import { describe, expect, it } from "vitest";
import { TrustedProxies } from "./trusted-proxies.ts";

const client = "203.0.113.9";

describe("TrustedProxies (R70)", () => {
  it("believes nobody unless told to", () => {
    expect(new TrustedProxies().clientOf("127.0.0.1", client)).toBe("127.0.0.1");
    expect(new TrustedProxies([]).clientOf("10.0.0.1", client)).toBe("10.0.0.1");
  });

  it("believes its own alone, by address and by network", () => {
    const proxies = new TrustedProxies(["192.0.2.1", "10.0.0.0/8", "2001:db8::/32", "::1"]);
    for (const peer of ["192.0.2.1", "10.9.9.9", "::ffff:10.1.2.3", "2001:db8:1::5", "::1"])
      expect([peer, proxies.clientOf(peer, client)]).toEqual([peer, client]);
    for (const peer of ["192.0.2.2", "11.0.0.1", "::ffff:11.0.0.1", "2001:db9::1", "", "unix"])
      expect([peer, proxies.clientOf(peer, client)]).toEqual([peer, peer]);
    expect(proxies.clientOf("10.0.0.1", undefined)).toBe("10.0.0.1");
  });

  it("reads from the right, past its own, and believes nothing beyond the first that is not", () => {
    const proxies = new TrustedProxies(["10.0.0.0/8"]);
    const read = (forwarded: string): string => proxies.clientOf("10.0.0.1", forwarded);
    expect(read(`127.0.0.1, 10.0.0.9, ${client}`)).toBe(client);
    expect(read(`1.1.1.1, ${client},10.0.0.7 , 10.0.0.8`)).toBe(client);
    expect(read("10.0.0.7, 10.0.0.8")).toBe("10.0.0.7");
    // What is no address is where its knowledge ends.
    for (const unknown of ["unknown", "", "_hidden", "999.1.1.1", "1.2.3", "::g", "fe80::1%eth0"])
      expect([unknown, read(`${client}, ${unknown}, 10.0.0.8`)]).toEqual([unknown, "10.0.0.8"]);
  });

  it("writes an address in one way, without its port", () => {
    const proxies = new TrustedProxies(["10.0.0.1"]);
    for (const [hop, address] of [
      [`${client}:5123`, client],
      [`::ffff:${client}`, client],
      ["[2001:DB8:0::0001]:443", "2001:db8::1"],
      ["2001:0db8:0:0:0:0:0:1", "2001:db8::1"],
    ] as const)
      expect([hop, proxies.clientOf("10.0.0.1", hop)]).toEqual([hop, address]);
  });

  it("refuses what is neither an address nor a network", () => {
    for (const entry of ["", "*", "proxy.example", "10.0.0.0/33", "::/129", "10.0.0/8", "1.1.1.1/"])
      expect(() => new TrustedProxies([entry])).toThrow(
        expect.objectContaining({ code: "SLUICE_INVALID_OPTION" }),
      );
    for (const entries of ["10.0.0.1", 1, null] as unknown as string[][])
      expect(() => new TrustedProxies(entries)).toThrow("trustedProxies");
  });
});
