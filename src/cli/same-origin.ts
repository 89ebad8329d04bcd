import { isIP } from "node:net";

/** What the browser says about where a request comes from. */
export interface OriginHeaders {
  readonly host?: string | undefined;
  readonly origin?: string | undefined;
  readonly cookie?: string | undefined;
}

/**
 * Why a request is refused that may come from a page of another site, or `undefined` when it may pass.
 *
 * The Host has to be an IP address, `localhost` or one of `hosts`: a site that lets its own name point here (DNS
 * rebinding) is not among them. The Origin has to be that Host itself over http, or absent, as it is for `curl`;
 * browsers leave it out of no request that writes. With a cookie it may not be absent.
 */
export function refuseOrigin(headers: OriginHeaders, hosts: readonly string[]): string | undefined {
  const { host, origin, cookie } = headers;
  if (host === undefined || !isOwnHost(host, hosts)) return "this host is not served here";
  if (origin === undefined)
    return cookie === undefined ? undefined : "a request with a cookie needs an origin";
  return origin === URL.parse(`http://${host}`)?.origin
    ? undefined
    : "another origin may not do this";
}

function isOwnHost(host: string, hosts: readonly string[]): boolean {
  const [, name] = /^([a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i.exec(host) ?? [];
  if (name === undefined) return false;
  const bare = name.replace(/^\[|\]$/g, "").toLowerCase();
  return (
    isIP(bare) !== 0 || bare === "localhost" || hosts.some((own) => own.toLowerCase() === bare)
  );
}
