import { isIP } from "node:net";
import { parseArgs } from "node:util";
import { SluiceError, invalidOption } from "../support/internal.ts";

/** The commands that take options. */
export type CommandName = "pipe" | "demo";

/** How a line of input becomes the payload of a channel event. */
export type Format = "lines" | "ndjson";

/** What a client means to the others when it cannot keep up. */
export type Slow = "wait" | "disconnect" | "dropOldest";

/** What `sluice pipe` and `sluice demo` are told to do: every value is checked. */
export interface PipeOptions {
  /** The topic that browsers join. */
  readonly topic: string;
  /** The channel event that carries each message; default `push`. */
  readonly event: string;
  /** Default 4000; 0 takes any that is free. */
  readonly port: number;
  /** The address to listen on; default 127.0.0.1. */
  readonly host: string;
  /** Default `lines`. */
  readonly format: Format;
  /** Deliveries at once; default 5. */
  readonly concurrency: number;
  /** Events that may wait between source and delivery; default 10,000. */
  readonly bufferSize: number;
  /** Default `wait`. */
  readonly slow: Slow;
  /** The longest that a slow client may hold up the others; default 5000. */
  readonly maxWaitMs: number;
  /** Reading starts when this many clients have joined; default 0. */
  readonly waitFor: number;
  /** The file to follow in place of standard input. */
  readonly file: string | undefined;
  /** Whoever reads or writes has to know it. */
  readonly token: string | undefined;
  /** End when the input has ended and all is delivered. */
  readonly exit: boolean;
}

/** What the command line asks for. */
export type Command =
  | { readonly name: "help"; readonly of: CommandName | undefined }
  | { readonly name: "version" }
  | { readonly name: CommandName; readonly options: PipeOptions };

/** One option as the help shows it. */
export interface OptionText {
  /** What stands for its value; absent: a switch. */
  readonly value?: string;
  readonly about: string;
  /** The only command that has it; absent: both. */
  readonly only?: CommandName;
}

/** Every option there is, in the order of the help. */
export const optionTexts: { readonly [name: string]: OptionText } = {
  topic: { value: "NAME", about: "topic that browsers join (pipe: required; demo: demo:live)" },
  event: { value: "NAME", about: "channel event that carries each message (push)" },
  file: {
    value: "PATH",
    about: "follow this file, as tail -F does, instead of standard input",
    only: "pipe",
  },
  format: { value: "lines|ndjson", about: "a line is text, or JSON (lines)", only: "pipe" },
  port: { value: "N", about: "port of the page and the socket, 0 = any (4000)" },
  host: { value: "ADDRESS", about: "address to listen on (127.0.0.1); beyond loopback: --token" },
  token: { value: "SECRET", about: "who reads the topic or posts events must know it" },
  concurrency: { value: "N", about: "deliveries at once; 1 keeps the order (5)" },
  buffer: { value: "N", about: "events that may wait for delivery (10000)" },
  slow: { value: "POLICY", about: "a client falls behind: wait | disconnect | dropOldest (wait)" },
  "max-wait": { value: "MS", about: "longest wait for slow clients, then they go (5000)" },
  "wait-for": { value: "N", about: "start reading when N clients have joined (0)", only: "pipe" },
  exit: { about: "end when the input has ended and is delivered", only: "pipe" },
  help: { about: "show this" },
};

/** The options that `command` has. */
export function optionNames(command: CommandName): readonly string[] {
  return Object.entries(optionTexts).flatMap(([name, { only }]) =>
    only === undefined || only === command ? [name] : [],
  );
}

type Given = { readonly [name: string]: string | boolean | undefined };

/**
 * Reads the arguments after `sluice`. The port of the demo comes from `env.PORT` where no option says otherwise.
 * @throws SLUICE_INVALID_OPTION naming the option, what came and what was expected
 */
export function parseCommand(
  args: readonly string[],
  env: { readonly PORT?: string | undefined } = {},
): Command {
  const [name, ...rest] = args;
  if (name === undefined || name === "--help" || name === "-h" || name === "help")
    return { name: "help", of: undefined };
  if (name === "--version" || name === "-v") return { name: "version" };
  if (name !== "pipe" && name !== "demo") throw invalidOption("command", name, "pipe or demo");
  const given = parseGiven(name, rest);
  if (given["help"] === true) return { name: "help", of: name };
  return { name, options: readOptions(name, given, env.PORT) };
}

function parseGiven(command: CommandName, args: readonly string[]): Given {
  const options = Object.fromEntries(
    optionNames(command).map((name) => [
      name,
      {
        type: optionTexts[name]?.value === undefined ? ("boolean" as const) : ("string" as const),
        ...(name === "help" && { short: "h" }),
      },
    ]),
  );
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    if (positionals.length > 0)
      throw invalidOption("argument", positionals[0], `options only; see sluice ${command} --help`);
    return values;
  } catch (error) {
    if (SluiceError.is(error, "SLUICE_INVALID_OPTION")) throw error;
    throw refuseSyntax(command, error);
  }
}

/** What `parseArgs` refuses, in our own words. */
function refuseSyntax(command: CommandName, error: unknown): Error {
  const { code, message } = error as { readonly code?: string; readonly message: string };
  const [option = "option"] = /--?[\w-]+/.exec(message) ?? [];
  const known = optionTexts[option.slice(2)];
  if (code === "ERR_PARSE_ARGS_INVALID_OPTION_VALUE" && known !== undefined) {
    return known.value === undefined
      ? invalidOption(option, "a value", "none: it is a switch")
      : invalidOption(
          option,
          "no value",
          `${option} ${known.value} (${option}=-x for a value with a dash)`,
        );
  }
  const expected =
    known?.only === undefined
      ? `an option of sluice ${command}; see --help`
      : `this option with sluice ${known.only} only`;
  return invalidOption(option, "an unknown option", expected);
}

function readOptions(command: CommandName, given: Given, envPort: string | undefined): PipeOptions {
  const text = (name: string): string | undefined => given[name] as string | undefined;
  const number = (name: string, unset: number, least: number, most: number): number =>
    readInteger(`--${name}`, text(name), unset, least, most);
  const slow = readChoice("--slow", text("slow"), ["wait", "disconnect", "dropOldest"]);
  const token = readToken(text("token"));
  const file = text("file");
  if (file === "") throw invalidOption("--file", file, "the path of a file");
  if (text("max-wait") !== undefined && slow !== "wait") {
    throw invalidOption(
      "--max-wait",
      text("max-wait"),
      `--slow wait beside it, not --slow ${slow}`,
    );
  }
  if (given["exit"] === true && file !== undefined) {
    throw invalidOption(
      "--exit",
      "--file beside it",
      "standard input, which ends; a followed file never does",
    );
  }
  return {
    topic: readTopic(text("topic") ?? (command === "demo" ? "demo:live" : undefined)),
    event: readEvent(text("event") ?? "push"),
    port:
      text("port") === undefined && command === "demo"
        ? readInteger("PORT", envPort === "" ? undefined : envPort, 4_000, 0, 65_535)
        : number("port", 4_000, 0, 65_535),
    host: readHost(text("host") ?? "127.0.0.1", token),
    format:
      command === "demo" ? "ndjson" : readChoice("--format", text("format"), ["lines", "ndjson"]),
    concurrency: number("concurrency", 5, 1, 10_000),
    bufferSize: number("buffer", 10_000, 1, 10_000_000),
    slow,
    maxWaitMs: number("max-wait", 5_000, 1, 3_600_000),
    waitFor: number("wait-for", 0, 0, 10_000),
    file,
    token,
    exit: given["exit"] === true,
  };
}

/** The first choice is the default. */
function readChoice<const C extends string>(
  option: string,
  text: string | undefined,
  choices: readonly [C, ...C[]],
): C {
  if (text === undefined) return choices[0];
  const found = choices.find((choice) => choice === text);
  if (found === undefined) throw invalidOption(option, text, choices.join(" or "));
  return found;
}

function readInteger(
  option: string,
  text: string | undefined,
  unset: number,
  least: number,
  most: number,
): number {
  if (text === undefined) return unset;
  const value = /^\d{1,10}$/.test(text) ? Number(text) : NaN;
  if (!(value >= least && value <= most))
    throw invalidOption(option, text, `a whole number from ${least} to ${most}`);
  return value;
}

const controls = /\p{Cc}/u;

function readTopic(topic: string | undefined): string {
  const expected = "a topic of 1 to 255 bytes such as logs:app, not phoenix and not sluice:…";
  if (topic === undefined) throw invalidOption("--topic", "nothing", expected);
  const bytes = Buffer.byteLength(topic);
  if (
    bytes < 1 ||
    bytes > 255 ||
    controls.test(topic) ||
    topic === "phoenix" ||
    topic.startsWith("sluice:") ||
    topic.endsWith("*")
  ) {
    throw invalidOption("--topic", topic, expected);
  }
  return topic;
}

function readEvent(event: string): string {
  const bytes = Buffer.byteLength(event);
  if (bytes < 1 || bytes > 64 || controls.test(event) || /^(phx_|chan_reply_|~)/.test(event)) {
    throw invalidOption(
      "--event",
      event,
      "a name of 1 to 64 bytes that does not start with phx_, chan_reply_ or ~",
    );
  }
  return event;
}

/** A token travels in a header, so it is visible ASCII; it is shown nowhere, not even when refused. */
function readToken(token: string | undefined): string | undefined {
  if (token === undefined || /^[\x21-\x7e]{8,4096}$/.test(token)) return token;
  throw invalidOption(
    "--token",
    "something else",
    "8 to 4096 letters, digits and signs, without spaces",
  );
}

function readHost(host: string, token: string | undefined): string {
  if (isIP(host) === 0 && !/^[a-z0-9]([a-z0-9.-]{0,252})$/i.test(host))
    throw invalidOption("--host", host, "an address such as 127.0.0.1 or localhost");
  if (token === undefined && !isLoopback(host)) {
    throw invalidOption(
      "--host",
      host,
      "a loopback address, or --token beside it: the port is open to others",
    );
  }
  return host;
}

/** Is it an address of this machine alone? */
function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}
