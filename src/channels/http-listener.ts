import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { SluiceError } from "../support/internal.ts";
import { log, refused } from "../telemetry/internal.ts";
import type { EndpointEngine } from "./endpoint-engine.ts";
import type { BoundAddress, EndpointBase, Route } from "./endpoint-options.ts";
import { WebSocketUpgrade, refuseUpgrade } from "./web-socket-upgrade.ts";
import { boundAddress, factsOf, pathOf } from "./http-request.ts";
import { allowedHost, allowedOrigin } from "./origin.ts";
import { matchTopic, topicPattern, type TopicPattern } from "./topic-pattern.ts";
import { WebSocketUpgrades } from "./web-socket-transport.ts";

interface RoutePattern extends TopicPattern {
  readonly route: Route;
}

/** How often the server looks for requests that take too long. */
const checkIntervalMs = 1_000;
/** Connections beside the sockets: pages being loaded, upgrades on their way. */
const pageConnections = 1_000;

/** Where an endpoint meets the network: upgrades at its mounts, requests at its routes, on a server of its own or one that is there. */
export class HttpListener {
  readonly #key: string;
  readonly #engine: EndpointEngine;
  readonly #server: Server;
  readonly #isOwn: boolean;
  readonly #routes: readonly RoutePattern[];
  readonly #upgrades: WebSocketUpgrades;

  constructor(
    key: string,
    engine: EndpointEngine,
    given: Server | undefined,
    routes: EndpointBase<never>["routes"] = {},
  ) {
    const { limits } = engine;
    this.#key = key;
    this.#engine = engine;
    this.#isOwn = given === undefined;
    this.#upgrades = new WebSocketUpgrades(limits);
    this.#routes = Object.entries(routes).map(([path, route]) => ({
      ...topicPattern(path),
      route,
    }));
    this.#server =
      given ??
      createServer({
        headersTimeout: limits.headersTimeoutMs,
        requestTimeout: limits.requestTimeoutMs,
        connectionsCheckingInterval: checkIntervalMs,
        maxHeaderSize: limits.maxHeaderBytes,
        // Whoever offers another protocol is answered in this one.
        shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === "websocket",
      });
    if (given === undefined) {
      // One more than may come is seen, and refused; what is beyond would be cut off unseen.
      this.#server.maxHeadersCount = limits.maxHeaders + 1;
      this.#server.maxConnections = limits.maxConnections + pageConnections;
    }
  }

  /** Begins to hear; resolves when a server of its own is bound. */
  async open(port: number | undefined, host: string): Promise<void> {
    const server = this.#server;
    server.on("upgrade", this.#onUpgrade).on("request", this.#onRequest);
    if (port === undefined) return;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, host, () => {
        server.off("error", reject);
        // Of a server that listens, an error is a connection that could not be accepted: the others live on.
        server.on("error", (error) => log("error", `the server of ${this.#key} failed`, error));
        resolve();
      });
    });
  }

  /** @throws SLUICE_NOT_SERVING */
  address(): BoundAddress {
    const address = this.#server.address();
    if (address === null || typeof address === "string") {
      throw new SluiceError("SLUICE_NOT_SERVING", `${this.#key} listens at no port`, {
        endpoint: this.#key,
      });
    }
    return boundAddress(address.address, address.port);
  }

  /** Hears no more; connections stay. */
  close(): void {
    this.#server.off("upgrade", this.#onUpgrade).off("request", this.#onRequest);
    if (!this.#isOwn) return;
    // Connections that are kept may still ask, and would wait for ever.
    this.#server.on("request", (_request, response) => answer(response, 503)).close();
  }

  /** Cuts what is left, of a server of its own. */
  end(): void {
    if (this.#isOwn) this.#server.closeAllConnections();
  }

  readonly #onUpgrade = (request: IncomingMessage, line: Duplex, head: Buffer): void => {
    const mount = this.#engine.mountAt(pathOf(request));
    if (mount !== undefined) {
      const pending = new WebSocketUpgrade(
        this.#engine,
        mount,
        this.#upgrades,
        request,
        line,
        head,
      );
      return this.#engine.connect(pending);
    }
    // Nobody else would ever answer it.
    if (this.#isOwn || this.#server.listenerCount("upgrade") === 1) refuseUpgrade(line, 404);
  };

  readonly #onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const path = pathOf(request);
    const isMount = this.#engine.mountAt(path) !== undefined;
    const match = matchTopic(this.#routes, path);
    if (!isMount && match === undefined && !this.#isOwn) return;
    const { policy, limits } = this.#engine;
    const facts = factsOf(request);
    if (request.rawHeaders.length / 2 > limits.maxHeaders) return answer(response, 431);
    const host = allowedHost(facts.host, policy);
    const verdict =
      host.allowed && facts.origin !== undefined ? allowedOrigin(facts, policy) : host;
    if (!verdict.allowed) {
      if (refused.active) refused.emit({ what: "request", reason: verdict.reason });
      return answer(response, 403);
    }
    if (isMount) return answer(response, 400);
    if (match === undefined) return answer(response, 404);
    void this.#run(match.pattern.route, request, response);
  };

  async #run(route: Route, request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await route(request, response);
    } catch (error) {
      log("error", `a route of ${this.#key} failed`, error);
      if (response.headersSent) response.destroy();
      else answer(response, 500);
    }
  }
}

const texts = {
  400: "This is where WebSockets connect",
  403: "Forbidden",
  404: "Not found",
  431: "Too many headers",
  500: "Something went wrong",
  503: "The server stops",
} as const;

function answer(response: ServerResponse, status: keyof typeof texts): void {
  response
    .writeHead(status, {
      "content-type": "text/plain; charset=utf-8",
      "x-content-type-options": "nosniff",
      "cache-control": "no-store",
    })
    .end(`${texts[status]}\n`);
}
