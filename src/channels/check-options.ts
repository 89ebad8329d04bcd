import { checkInteger, invalidOption } from "../support/internal.ts";
import { drainOf } from "./drain-batches.ts";
import type { EndpointOptions } from "./endpoint-options.ts";
import { limitsOf } from "./limits.ts";
import { definitionsOf, mountLimits, windowOf } from "./mount.ts";
import { MountPath } from "./mount-path.ts";
import { originPolicy } from "./origin.ts";
import { topicPattern } from "./topic-pattern.ts";

/**
 * Looks at the options of an endpoint before anything is started.
 *
 * @throws SluiceError `SLUICE_INVALID_OPTION`, naming the option.
 */
export function checkOptions(key: string, options: EndpointOptions<never>): void {
  const { port, server, sockets, routes = {} } = options;
  const limits = limitsOf(options.limits);
  originPolicy(options);
  drainOf(options.drain);
  if (server === undefined) checkInteger("port", port, 0, 65_535);
  for (const [mount, socket] of Object.entries(sockets)) {
    const { connect, id, channels, maxPendingBytes, lifetimeMs, revalidate, revalidateMs } = socket;
    new MountPath(mount);
    if (typeof connect !== "function")
      throw invalidOption(`sockets: ${mount}: connect`, connect, "a function");
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
