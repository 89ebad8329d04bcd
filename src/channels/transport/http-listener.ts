import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Server as SecureServer } from "node:https";
import type { Duplex } from "node:stream";
import { Server as TlsServer } from "node:tls";
import { SluiceError } from "../../support/internal.ts";
import { log, refused } from "../../telemetry/internal.ts";
import type { EndpointEngine } from "../server/endpoint-engine.ts";
import type { BoundAddress, EndpointBase, GivenServer, Route } from "../endpoint-options.ts";
import { WebSocketUpgrade, refuseUpgrade } from "./web-socket-upgrade.ts";
import { boundAddress, factsOf, pathOf } from "./http-request.ts";
import { LongPollRequests } from "./long-poll-requests.ts";
import { linesWithin } from "../open-files.ts";
import { allowedHost, allowedOrigin } from "../admission/origin.ts";
import { keepGate } from "./request-gate.ts";
import { matchTopic, topicPattern, type TopicPattern } from "../topic-pattern.ts";

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
  readonly #server: Server | SecureServer;
  readonly #isOwn: boolean;
  readonly #routes: readonly RoutePattern[];
  readonly #polls: LongPollRequests;
  #letGo: (() => void) | undefined = undefined;
  /** No new clients: what is left are the polls of those that are there. */
  #isClosing = false;

  constructor(
    key: string,
    engine: EndpointEngine,
    given: GivenServer["server"] | undefined,
    routes: EndpointBase<never>["routes"] = {},
  ) {
    this.#key = key;
    this.#engine = engine;
    this.#isOwn = given === undefined;
    this.#polls = new LongPollRequests(engine);
    this.#routes = Object.entries(routes).map(([path, route]) => ({
      ...topicPattern(path),
      route,
    }));
    this.#server = given ?? ownServer(engine);
  }

  /** Begins to hear; resolves when a server of its own is bound. */
  async open(port: number | undefined, host: string): Promise<void> {
    const server = this.#server;
    if (port === undefined) {
      this.#letGo = keepGate(server, { request: this.#takeRequest, upgrade: this.#takeUpgrade });
      // Without a listener, a server takes an upgrade for a request.
      server.on("upgrade", this.#onUpgrade);
      return;
    }
    server.on("upgrade", this.#onUpgrade).on("request", (request, response) => {
      if (!this.#takeRequest(request, response)) this.#answer(request, response, 404);
    });
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
    const { bound } = this;
    if (bound !== undefined) return bound;
    throw new SluiceError("SLUICE_NOT_SERVING", `${this.#key} listens at no port`, {
      endpoint: this.#key,
    });
  }

  /** Where it listens; nothing on a server that was given and listens later, or at no port. */
  get bound(): BoundAddress | undefined {
    const address = this.#server.address();
    return address === null || typeof address === "string"
      ? undefined
      : boundAddress(address.address, address.port, this.#server instanceof TlsServer);
  }

  /** Lets nobody in any more; who is in goes on, and polls. */
  close(): void {
    this.#isClosing = true;
  }

  /** Hears no more, and cuts what is left of a server of its own. */
  end(): void {
    this.#letGo?.();
    this.#server.off("upgrade", this.#onUpgrade);
    if (!this.#isOwn) return;
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /** Takes the upgrade of a WebSocket that is for a mount. */
  readonly #takeUpgrade = (request: IncomingMessage, line: Duplex, head: Buffer): boolean => {
    const mount = this.#engine.mountAt(pathOf(request));
    if (mount === undefined) return false;
    this.#engine.connect(new WebSocketUpgrade(this.#engine, mount, request, line, head));
    return true;
  };

  /** Hears what the gate has left, or was led past it. */
  readonly #onUpgrade = (request: IncomingMessage, line: Duplex, head: Buffer): void => {
    if (this.#takeUpgrade(request, line, head)) return;
    // Nobody else would ever answer it.
    if (this.#isOwn || this.#server.listenerCount("upgrade") === 1) refuseUpgrade(line, 404);
  };

  /** Takes a request that is for a mount or a route. */
  readonly #takeRequest = (request: IncomingMessage, response: ServerResponse): boolean => {
    const path = pathOf(request);
    const polled = this.#engine.polledAt(path);
    if (polled !== undefined) {
      this.#polls.handle(polled, request, response);
      return true;
    }
    const isMount = this.#engine.mountAt(path) !== undefined;
    const match = matchTopic(this.#routes, path);
    if (!isMount && match === undefined) return false;
    if (isMount || match === undefined) this.#answer(request, response, 400);
    else if (this.#isAllowed(request, response))
      void this.#run(match.pattern.route, request, response);
    return true;
  };

  #answer(request: IncomingMessage, response: ServerResponse, status: 400 | 404): void {
    if (this.#isAllowed(request, response)) answer(response, status);
  }

  /** Refuses what is nobody's business, and everything once it closes. */
  #isAllowed(request: IncomingMessage, response: ServerResponse): boolean {
    const { policy, limits } = this.#engine;
    const facts = factsOf(request);
    const host = allowedHost(facts.host, policy);
    const verdict =
      host.allowed && facts.origin !== undefined ? allowedOrigin(facts, policy) : host;
    if (this.#isClosing) answer(response, 503);
    else if (request.rawHeaders.length / 2 > limits.maxHeaders) answer(response, 431);
    else if (verdict.allowed) return true;
    else {
      if (refused.active) refused.emit({ what: "request", reason: verdict.reason });
      answer(response, 403);
    }
    return false;
  }

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

/** A server whose requests have to be short and quick. */
function ownServer({ limits, mounts }: EndpointEngine): Server {
  const server = createServer({
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    connectionsCheckingInterval: checkIntervalMs,
    maxHeaderSize: limits.maxHeaderBytes,
    // Whoever offers another protocol is answered in this one.
    shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === "websocket",
  });
  // One more than may come is seen, and refused; what is beyond would be cut off unseen.
  server.maxHeadersCount = limits.maxHeaders + 1;
  // Who polls has a line to wait on, and one to send by.
  const lines = [...mounts.values()].some(({ windowMs }) => windowMs !== undefined) ? 2 : 1;
  server.maxConnections = linesWithin(lines * limits.maxConnections + pageConnections);
  server.on("drop", () => {
    if (refused.active) refused.emit({ what: "connection", reason: "too many lines" });
  });
  return server;
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
