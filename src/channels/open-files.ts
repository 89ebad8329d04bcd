import process from "node:process";
import { log } from "../telemetry/internal.ts";
import type { Limits } from "./limits.ts";

/** Of the files that the process may have open: the rest is for files, and for connections that it makes itself. */
const ofConnections = 0.75;
/** Those that are on their way in or out too, so that most of them are told that there are too many. */
const ofLines = 0.8;

interface UserLimits {
  readonly userLimits?: { readonly open_files?: { readonly soft: number | "unlimited" } };
}
/** As its declarations do not know it. */
const report = process.report as typeof process.report & { excludeNetwork: boolean };
let known: number | undefined;

/** How many files and connections this process may have open at a time; Infinity where nobody can tell. */
function maxOpenFiles(): number {
  if (known !== undefined) return known;
  const { excludeNetwork } = report;
  // Else it would look up the name of everybody who is connected.
  report.excludeNetwork = true;
  const { userLimits } = report.getReport() as UserLimits;
  report.excludeNetwork = excludeNetwork;
  const soft = userLimits?.open_files?.soft;
  return (known = typeof soft === "number" ? soft : Infinity);
}

/**
 * The limits with no more connections than there are files for. Beyond them Node closes whom it cannot accept without a word,
 * and neither a file can be opened nor a broker reached.
 */
export function withinOpenFiles(key: string, limits: Limits, wanted: number | undefined): Limits {
  const files = maxOpenFiles();
  const maxConnections = Math.max(1, Math.floor(files * ofConnections));
  if (limits.maxConnections <= maxConnections) return limits;
  // Whoever asked for more has a machine to set up.
  log(
    wanted === undefined ? "info" : "warning",
    `${key} lets in ${maxConnections} connections, not ${limits.maxConnections}: the process may have ${files} files open`,
  );
  return { ...limits, maxConnections };
}

/** No more lines than there are files for. */
export function linesWithin(wanted: number): number {
  return Math.max(1, Math.min(wanted, Math.floor(maxOpenFiles() * ofLines)));
}
