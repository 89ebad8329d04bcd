import { SluiceError, isOrderly } from "../support/internal.ts";
import { version } from "../runtime/internal.ts";
import { demo } from "./demo.ts";
import { failureOf } from "./failure.ts";
import { help } from "./help.ts";
import { staySmall } from "./memory.ts";
import { parseCommand, type Command } from "./options.ts";
import { pipe } from "./pipe.ts";

/** A command line that was understood, or nothing when it was not, and said so. */
function understood(args: readonly string[]): Command | undefined {
  try {
    return parseCommand(args, process.env);
  } catch (error) {
    if (!SluiceError.is(error, "SLUICE_INVALID_OPTION")) throw error;
    process.stderr.write(`sluice: ${error.message}\n`);
    return undefined;
  }
}

/** Runs `sluice` with the arguments behind its name; resolves with the exit code: 2 for a command line that is wrong. */
export async function main(args: readonly string[]): Promise<number> {
  const command = understood(args);
  if (command === undefined) return 2;
  if (command.name === "help" || command.name === "version") {
    process.stdout.write(command.name === "help" ? help(command.of) : `${version}\n`);
    return 0;
  }
  const { name, options } = command;
  const host = { stdin: process.stdin, output: process.stderr };
  staySmall();
  try {
    const reason = await pipe(options, host, ...(name === "demo" ? [demo(options)] : []));
    return isOrderly(reason) && process.exitCode !== 1 ? 0 : 1;
  } catch (error) {
    const { text, exitCode } = failureOf(error, options);
    process.stderr.write(`sluice: ${text}\n`);
    return exitCode;
  } finally {
    // A read that is open would keep the program until the writer says something.
    process.stdin.destroy();
  }
}
