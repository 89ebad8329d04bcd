import { SluiceError, describe, type ExitReason } from "../support/internal.ts";
import { currentSystem } from "../runtime/internal.ts";
import { drainAndStop, type Cell } from "../process/internal.ts";
import { child, name, run, sleep, type Children, type Name } from "../process/index.ts";
import { consumerSupervisor } from "../stage/index.ts";
import { whenJoined } from "../channels/internal.ts";
import type { EndpointOptions } from "../channels/index.ts";
import { deliver, deliveryFigures } from "../delivery/index.ts";
import { Console, type Output } from "./console.ts";
import { eventsRoute, type Inbox } from "./events-route.ts";
import { checkFile, followFile } from "./follow-file.ts";
import { channels, web } from "./gateway.ts";
import { InputSource, type InputOptions } from "./input-source.ts";
import type { PipeOptions } from "./options.ts";
import { pageRoutes } from "./page-routes.ts";
import type { Payload } from "./payload.ts";
import { leftBehind, summary } from "./report.ts";
import { StatsProcess } from "./stats.ts";
import { Tally } from "./tally.ts";

/** The host's side of `sluice pipe`. */
export interface PipeHost {
  /** The bytes that are read where no file is followed. */
  readonly stdin: AsyncIterable<Uint8Array>;
  /** Where it speaks. */
  readonly output: Output;
}

/** What the demo does otherwise than the plain pipe. */
export interface PipeVariant {
  /** It reads standard input or a file. */
  readonly reads: boolean;
  /** Done for each event before it is delivered. */
  readonly work: ((event: Payload) => Promise<void> | undefined) | undefined;
  /** More children, the last to start; what they take in they count. */
  readonly children: (tally: Tally) => Children;
}

const plain: PipeVariant = { reads: true, work: undefined, children: () => ({}) };
/** From Ctrl-C to the kill of what is left. */
const drainTimeoutMs = 10_000;

const input: Name<InputSource> = name("input");

async function endpointOptions(options: PipeOptions, demo: boolean): Promise<EndpointOptions<{}>> {
  const { topic, event, port, host, token, bufferSize: capacity } = options;
  const inbox: Inbox = {
    capacity,
    tryPush: (payloads) => input.call.tryPush(payloads),
    push: (payloads) => input.callWith({ timeoutMs: Infinity }).push(payloads),
  };
  const policy = { hosts: [host], ...(token !== undefined && { token }) };
  return {
    port,
    host,
    // A streamed body may last as long as it likes; how long its next piece may take is the route's affair.
    limits: { requestTimeoutMs: 24 * 3_600_000 },
    sockets: { "/socket": { connect: () => ({}), channels: channels(topic, token) } },
    routes: {
      "/events": eventsRoute({ inbox, sleep, ...policy }),
      "/*": await pageRoutes({ topic, event, demo, token: token !== undefined }),
    },
  };
}

/** The bytes of the followed file, or of standard input. */
function opener(
  { file }: PipeOptions,
  { stdin }: PipeHost,
): (signal: AbortSignal) => AsyncIterable<Uint8Array> {
  return file === undefined ? () => stdin : (signal) => followFile(file, { signal, sleep });
}

/** `sluice pipe`: from the input to every browser that joined, until it is told to end. Returns why it ended. */
export async function pipe(
  options: PipeOptions,
  host: PipeHost,
  variant: PipeVariant = plain,
): Promise<ExitReason> {
  const { topic, event, concurrency, bufferSize, slow, maxWaitMs, waitFor, exit } = options;
  const { runtime } = currentSystem();
  const console = new Console(host.output);
  using tally = new Tally();
  let root: Cell | undefined;
  let failed: { readonly crash: unknown } | undefined;
  if (variant.reads && options.file !== undefined) await checkFile(options.file);

  const source: InputOptions = {
    open: variant.reads ? opener(options, host) : undefined,
    format: options.format,
    tally,
    gate: { isOpen: false },
    onBadLine: ({ line, reason }) =>
      console.often("bad line", `line ${line} is left out: ${reason}`),
    onEnd: (failure) => {
      if (failure !== undefined) {
        failed = { crash: failure };
        console.line(`the input has failed: ${describe(failure)}`);
      }
      if (exit || failed !== undefined) void drainAndStop(root!, Infinity);
      else console.line("the input has ended; still serving, until Ctrl-C");
    },
  };
  const send = deliver(web, (payload: Payload) => ({ topic, event, payload }), {
    slow,
    maxWaitMs,
  });
  const sendOrSay: typeof send = (payload, context) => {
    try {
      return send(payload, context);
    } catch (error) {
      if (!SluiceError.is(error, "SLUICE_PAYLOAD_REFUSED")) throw error;
      tally.refused++;
      console.often("refused", `an event is left out: ${error.message}`);
      return undefined;
    }
  };
  const { work } = variant;
  const task: typeof send =
    work === undefined
      ? sendOrSay
      : async (payload, context) => {
          await work(payload);
          await sendOrSay(payload, context);
        };

  const reason = await run(
    {
      strategy: "one_for_one",
      children: {
        endpoint: web.child(await endpointOptions(options, !variant.reads)),
        input: child(InputSource, { name: input, args: [source], bufferSize }),
        deliver: consumerSupervisor(task, {
          restart: "temporary",
          subscribeTo: [{ to: input, maxDemand: concurrency }],
        }),
        stats: child(StatsProcess, { args: [topic, tally, (seen) => console.progress(seen)] }),
        ...variant.children(tally),
      },
    },
    {
      drainTimeoutMs,
      async ready(app) {
        root = app["~resolve"]() as Cell;
        await app.children.stats.call.watch(app);
        const { url } = await app.children.endpoint.call.address();
        console.line(`sluice serves ${topic} at ${url}`);
        if (waitFor === 0) return input.cast.begin();
        console.line(`waits for ${waitFor} clients`);
        void whenJoined(web, currentSystem(), topic, waitFor).then(() => input.cast.begin());
      },
    },
  );
  if (reason === "killed") console.line("the time to end was up: what still ran was cut short");
  const figures = deliveryFigures(web);
  console.end(variant.reads ? summary(tally, figures, runtime.now()) : "");
  if (variant.reads && leftBehind(tally, figures) > 0) failed ??= { crash: "not all delivered" };
  return failed ?? reason;
}
