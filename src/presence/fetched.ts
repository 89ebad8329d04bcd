import { SluiceError } from "../support/internal.ts";
import type { System } from "../runtime/internal.ts";
import { checkFetched } from "./announcer.ts";
import { presentOf, type Extras, type Metas } from "./client-shapes.ts";
import type { Present, Settings } from "./options.ts";

/** What was looked up: who asks calls `fetch`, beside the tracker, for a bounded time. */
export interface Found extends Pick<Settings, "fetch" | "fetchTimeoutMs"> {
  readonly metas: Metas;
  readonly next: string | undefined;
}

/** What was found, with what `fetch` says of it. @throws SLUICE_TIMEOUT, and what `fetch` throws, as rejections */
export async function fetched(
  system: System,
  topic: string,
  found: Found,
): Promise<ReadonlyMap<string, Present<object>>> {
  const { metas, fetch } = found;
  const extras =
    fetch === undefined || metas.size === 0 ? undefined : await extrasOf(system, topic, found);
  return new Map([...metas].map(([key, of]) => [key, presentOf(key, of, extras)]));
}

function extrasOf(
  system: System,
  topic: string,
  { metas, fetch, fetchTimeoutMs: timeoutMs }: Found,
): Promise<Extras> {
  const controller = new AbortController();
  return new Promise((resolve, reject) => {
    const timer = system.after(timeoutMs, () => {
      const message = `fetch has said nothing of ${JSON.stringify(topic)} in ${timeoutMs} ms`;
      const late = new SluiceError("SLUICE_TIMEOUT", message, { timeoutMs });
      reject(late);
      controller.abort(late);
    });
    const asked = async (): Promise<Extras> =>
      checkFetched(await fetch!(topic, metas, { signal: controller.signal }));
    asked()
      .then(resolve, reject)
      .finally(() => system.cancel(timer));
  });
}
