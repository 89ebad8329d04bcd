// Whose connection is it? A proxy's, unless the proxy is one of ours: then it says whose.
import { BlockList, SocketAddress, isIP } from "node:net";
import { invalidOption } from "../../support/internal.ts";

const NETWORK = /^([\da-f:.]+)(?:\/(\d{1,3}))?$/i;
/** As proxies write them: some add the port. */
const HOP = /^(?:\[([\da-f:.]+)\](?::\d{1,5})?|([\d.]+)(?::\d{1,5})?|([\da-f:.]+))$/i;
const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** Proxies that are believed when they say whom they speak for. */
export class TrustedProxies {
  readonly #networks: BlockList | undefined;

  /** @throws SLUICE_INVALID_OPTION for anything but addresses and networks */
  constructor(entries: readonly string[] = []) {
    const given: unknown = entries;
    if (!Array.isArray(given))
      throw invalidOption("trustedProxies", entries, "a list of addresses and networks");
    this.#networks = entries.length === 0 ? undefined : new BlockList();
    for (const entry of entries) this.#add(entry);
  }

  /**
   * The address of the client: who connected, unless that is a proxy of ours. Then the last hop of `X-Forwarded-For` that is
   * none: each proxy adds whom it heard at the end, and what stands before is the word of somebody else.
   */
  clientOf(peer: string, forwarded: string | undefined): string {
    if (this.#networks === undefined || forwarded === undefined || !this.#trusts(peer)) return peer;
    let client = peer;
    for (const hop of forwarded.split(",").reverse()) {
      const address = addressOf(hop.trim());
      // What a proxy of ours does not know, nobody does.
      if (address === undefined) return client;
      client = address;
      if (!this.#trusts(client)) return client;
    }
    return client;
  }

  #trusts(address: string): boolean {
    const version = isIP(address);
    return version !== 0 && this.#networks!.check(address, version === 4 ? "ipv4" : "ipv6");
  }

  #add(entry: string): void {
    const [, written = "", bits] = NETWORK.exec(entry) ?? [];
    const address = addressOf(written);
    if (address === undefined || Number(bits ?? 0) > (address.includes(":") ? 128 : 32))
      throw invalidOption("trustedProxies", entry, 'an address, or a network as "10.0.0.0/8"');
    const family = address.includes(":") ? "ipv6" : "ipv4";
    if (bits === undefined) this.#networks!.addAddress(address, family);
    else this.#networks!.addSubnet(address, Number(bits), family);
  }
}

/** An address in the one way to write it, without its port. */
function addressOf(text: string): string | undefined {
  const [, bracketed, four, plain] = HOP.exec(text) ?? [];
  const address = bracketed ?? four ?? plain ?? "";
  const version = isIP(address);
  if (version === 0) return undefined;
  if (version === 4) return address;
  const written = new SocketAddress({ address, family: "ipv6" }).address;
  return MAPPED.exec(written)?.[1] ?? written;
}
