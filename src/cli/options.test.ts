import { describe, expect, it } from "vitest";
import { SluiceError } from "../support/internal.ts";
import { help } from "./help.ts";
import { type CommandName, type PipeOptions, optionNames, parseCommand } from "./options.ts";

function options(
  command: CommandName,
  args: readonly string[],
  env?: { readonly PORT?: string },
): PipeOptions {
  const parsed = parseCommand([command, ...args], env);
  if (!("options" in parsed)) throw new Error(`no options for ${command} ${args.join(" ")}`);
  return parsed.options;
}

function refusal(
  args: readonly string[],
  env?: { readonly PORT?: string },
): { readonly option: string; readonly got: string; readonly expected: string } {
  try {
    parseCommand(args, env);
  } catch (error) {
    if (SluiceError.is(error, "SLUICE_INVALID_OPTION")) return error.details;
    throw error;
  }
  throw new Error(`accepted: ${args.join(" ")}`);
}

describe("parseCommand", () => {
  it("gives every option of pipe its default, the topic has none", () => {
    expect(options("pipe", ["--topic", "logs:app"])).toEqual({
      topic: "logs:app",
      event: "push",
      port: 4_000,
      host: "127.0.0.1",
      format: "lines",
      concurrency: 5,
      bufferSize: 10_000,
      slow: "wait",
      maxWaitMs: 5_000,
      waitFor: 0,
      file: undefined,
      token: undefined,
      exit: false,
    });
    expect(refusal(["pipe"])).toMatchObject({ option: "--topic", got: '"nothing"' });
  });

  it("reads every option", () => {
    const args =
      "--topic t --event e --port 0 --host ::1 --format=ndjson --concurrency 1 --buffer 2 --slow wait --max-wait 3 --wait-for 4 --token abcdefgh --exit";
    expect(options("pipe", args.split(" "))).toEqual({
      topic: "t",
      event: "e",
      port: 0,
      host: "::1",
      format: "ndjson",
      concurrency: 1,
      bufferSize: 2,
      slow: "wait",
      maxWaitMs: 3,
      waitFor: 4,
      file: undefined,
      token: "abcdefgh",
      exit: true,
    });
    expect(options("pipe", ["--topic", "t", "--file", "app.log"]).file).toBe("app.log");
  });

  it("needs nothing for the demo, whose port may come from the environment", () => {
    expect(options("demo", [])).toMatchObject({
      topic: "demo:live",
      format: "ndjson",
      port: 4_000,
      concurrency: 5,
    });
    expect(options("demo", [], { PORT: "8080" }).port).toBe(8_080);
    expect(options("demo", ["--port", "1"], { PORT: "8080" }).port).toBe(1);
    expect(options("pipe", ["--topic", "t"], { PORT: "8080" }).port).toBe(4_000);
    expect(refusal(["demo"], { PORT: "http" })).toMatchObject({ option: "PORT", got: '"http"' });
  });

  it("asks for help wherever it is asked, also beside mistakes in values", () => {
    expect(parseCommand([])).toEqual({ name: "help", of: undefined });
    expect(parseCommand(["--help"])).toEqual({ name: "help", of: undefined });
    expect(parseCommand(["pipe", "-h"])).toEqual({ name: "help", of: "pipe" });
    expect(parseCommand(["demo", "--port", "x", "--help"])).toEqual({ name: "help", of: "demo" });
    expect(parseCommand(["--version"])).toEqual({ name: "version" });
  });

  it.each([
    [["serve"], "command", "pipe or demo"],
    [["pipe", "logs:app"], "argument", "options only"],
    [["pipe", "--prot", "1"], "--prot", "an option of sluice pipe"],
    [["demo", "--file", "x"], "--file", "with sluice pipe only"],
    [["pipe", "--topic"], "--topic", "--topic NAME"],
    [["pipe", "--topic", "t", "--exit=yes"], "--exit", "switch"],
    [["pipe", "--topic", ""], "--topic", "1 to 255 bytes"],
    [["pipe", "--topic", "é".repeat(128)], "--topic", "1 to 255 bytes"],
    [["pipe", "--topic", "a\nb"], "--topic", "1 to 255 bytes"],
    [["pipe", "--topic", "phoenix"], "--topic", "not phoenix"],
    [["pipe", "--topic", "sluice:stats"], "--topic", "not sluice:"],
    [["pipe", "--topic", "t", "--event", "phx_join"], "--event", "phx_"],
    [["pipe", "--topic", "t", "--event", "~receipt"], "--event", "~"],
    [["pipe", "--topic", "t", "--port", "65536"], "--port", "0 to 65535"],
    [["pipe", "--topic", "t", "--port", "1e3"], "--port", "whole number"],
    [["pipe", "--topic", "t", "--port=-1"], "--port", "whole number"],
    [["pipe", "--topic", "t", "--host", "a b"], "--host", "address"],
    [["pipe", "--topic", "t", "--format", "csv"], "--format", "lines or ndjson"],
    [["pipe", "--topic", "t", "--concurrency", "0"], "--concurrency", "from 1"],
    [["pipe", "--topic", "t", "--buffer", "0"], "--buffer", "from 1"],
    [["pipe", "--topic", "t", "--slow", "drop"], "--slow", "wait or disconnect or dropOldest"],
    [["pipe", "--topic", "t", "--max-wait", "0"], "--max-wait", "from 1"],
    [
      ["pipe", "--topic", "t", "--max-wait", "9", "--slow", "disconnect"],
      "--max-wait",
      "--slow wait",
    ],
    [["pipe", "--topic", "t", "--wait-for", "two"], "--wait-for", "whole number"],
    [["pipe", "--topic", "t", "--file", ""], "--file", "path"],
    [["pipe", "--topic", "t", "--file", "f", "--exit"], "--exit", "standard input"],
    [["pipe", "--topic", "t", "--token", "short"], "--token", "8 to 4096"],
  ])("refuses %j, naming %s and what was expected", (args, option, expected) => {
    const details = refusal(args);
    expect(details.option).toBe(option);
    expect(details.expected).toContain(expected);
  });

  it("opens no port to others without a token (R86)", () => {
    expect(refusal(["pipe", "--topic", "t", "--host", "0.0.0.0"]).expected).toContain("--token");
    expect(refusal(["demo", "--host", "::"]).expected).toContain("--token");
    expect(
      options("pipe", ["--topic", "t", "--host", "0.0.0.0", "--token", "a-long-secret"]).host,
    ).toBe("0.0.0.0");
    for (const host of ["localhost", "127.0.0.2", "::1"])
      expect(options("demo", ["--host", host]).host).toBe(host);
  });

  it("never shows a token, not even a refused one (R92)", () => {
    expect(JSON.stringify(refusal(["pipe", "--topic", "t", "--token", "hush hush"]))).not.toContain(
      "hush",
    );
  });
});

describe("help", () => {
  it.each(["pipe", "demo"] as const)(
    "shows every option of %s, after the examples, on at most 60 lines of 100",
    (command) => {
      const lines = help(command).split("\n");
      for (const name of optionNames(command))
        expect(lines.some((line) => line.startsWith(`  --${name} `))).toBe(true);
      expect(lines.findIndex((line) => line.includes("npx sluice"))).toBeLessThan(
        lines.findIndex((line) => line.startsWith("  --topic")),
      );
      expect(lines.length).toBeLessThanOrEqual(60);
      expect(lines.filter((line) => line.length > 100)).toEqual([]);
    },
  );

  it("leads to both commands", () => {
    expect(help(undefined)).toContain("sluice pipe --help");
    expect(help(undefined)).toContain("sluice demo --help");
  });
});
