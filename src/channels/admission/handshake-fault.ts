import type { IncomingMessage } from "node:http";

const KEY = /^[+/0-9A-Za-z]{22}==$/;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const versions: readonly unknown[] = ["13", "8"];

/** What the parser of WebSockets would refuse of an upgrade, once it is let in: told before anybody is asked. */
export function handshakeFault(headers: IncomingMessage["headers"]): string | undefined {
  const key = headers["sec-websocket-key"];
  if (headers.upgrade?.toLowerCase() !== "websocket") return "an upgrade to something else";
  if (typeof key !== "string" || !KEY.test(key)) return "a Sec-WebSocket-Key that is none";
  if (!versions.includes(headers["sec-websocket-version"]))
    return "a Sec-WebSocket-Version that is none";
  const protocols = headers["sec-websocket-protocol"];
  if (protocols === undefined) return undefined;
  const offered = protocols.split(", ");
  if (!offered.every((protocol) => TOKEN.test(protocol))) return "sub-protocols that are no list";
  return new Set(offered).size < offered.length ? "a sub-protocol that is doubled" : undefined;
}
