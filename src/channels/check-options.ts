import { checkKnown } from "../process/internal.ts";
import { checkInteger, invalidOption } from "../support/internal.ts";
import { drainOf } from "./server/drain-batches.ts";
import type { EndpointBase, EndpointOptions, SocketOptions } from "./endpoint-options.ts";
import { limitsOf } from "./limits.ts";
import { definitionsOf, mountLimits, windowOf } from "./admission/mount.ts";
import { MountPath } from "./admission/mount-path.ts";
import { originPolicy } from "./admission/origin.ts";
import { topicPattern } from "./topic-pattern.ts";
import { TrustedProxies } from "./admission/trusted-proxies.ts";

type Names<T> = { readonly [option in keyof T]-?: true };

const ofEndpoint: Names<EndpointBase<never>> & { readonly port: true; readonly server: true } = {
  port: true,
  server: true,
  host: true,
  sockets: true,
  routes: true,
  limits: true,
  drain: true,
  allowedHosts: true,
  checkOrigin: true,
  dangerouslyAllowAnyOrigin: true,
  trustedProxies: true,
};
const ofSocket: Names<SocketOptions<never>> = {
  connect: true,
  id: true,
  channels: true,
  lifetimeMs: true,
  revalidate: true,
  revalidateMs: true,
  maxPendingBytes: true,
  longPoll: true,
};
const endpointOptions: ReadonlySet<string> = new Set(Object.keys(ofEndpoint));
const socketOptions: ReadonlySet<string> = new Set(Object.keys(ofSocket));

/**
 * Looks at the options of an endpoint before anything is started.
 *
 * @throws SluiceError `SLUICE_INVALID_OPTION`, naming the option.
 */
export function checkOptions(key: string, options: EndpointOptions<never>): void {
  checkKnown("endpoint", options, endpointOptions);
  const { port, server, sockets, routes = {} } = options;
  const limits = limitsOf(options.limits);
  originPolicy(options);
  new TrustedProxies(options.trustedProxies);
  drainOf(options.drain);
  if (server === undefined) checkInteger("port", port, 0, 65_535);
  if (typeof sockets !== "object" || sockets === null)
    throw invalidOption("sockets", sockets, "mounts by paths");
  for (const [mount, socket] of Object.entries(sockets)) {
    new MountPath(mount);
    checkKnown(`sockets: ${mount}`, socket, socketOptions);
    const { connect, id, channels, maxPendingBytes, lifetimeMs, revalidate, revalidateMs } = socket;
    if (typeof connect !== "function")
      throw invalidOption(`sockets: ${mount}: connect`, connect, "a function");
    if (!Array.isArray(channels))
      throw invalidOption(`sockets: ${mount}: channels`, channels, "a list of channels");
    definitionsOf(key, channels);
    mountLimits(limits, maxPendingBytes);
    windowOf(socket);
    if (revalidateMs !== undefined) checkInteger("revalidateMs", revalidateMs, 1);
    for (const [name, callback] of Object.entries({ id, lifetimeMs, revalidate }))
      if (callback !== undefined && typeof callback !== "function")
        throw invalidOption(`sockets: ${mount}: ${name}`, callback, "a function");
  }
  for (const [route, answer] of Object.entries(routes)) {
    topicPattern(route);
    if (!route.startsWith("/") || typeof answer !== "function")
      throw invalidOption("routes", route, "functions by paths, which begin with a slash");
  }
}
