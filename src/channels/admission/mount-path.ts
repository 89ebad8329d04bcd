import { invalidOption } from "../../support/internal.ts";
import type { Params } from "./params.ts";

const PATH = /^(?:\/[^/?#]+)+$/;
const VARIABLE = /^:([a-z_]\w*)$/i;

/** Where a mount is: a path, some of whose parts may be variables: `/socket/:tenant`. */
export class MountPath {
  readonly path: string;
  /** The parts between slashes: as they have to be, or the name of what stands there. */
  readonly #parts: readonly (string | { readonly variable: string })[];

  /** @throws SLUICE_INVALID_OPTION */
  constructor(path: string) {
    this.path = path;
    this.#parts = path.split("/").map((part) => {
      const [, variable] = VARIABLE.exec(part) ?? [];
      return variable === undefined ? part : { variable };
    });
    const names = this.#parts.flatMap((part) => (typeof part === "string" ? [] : [part.variable]));
    const isClear = this.#parts.every((part) => typeof part !== "string" || !part.startsWith(":"));
    if (!PATH.test(path) || !isClear || new Set(names).size < names.length)
      throw invalidOption(
        "sockets",
        path,
        "a path such as `/socket` or `/socket/:tenant`, without a slash at the end, each variable once",
      );
  }

  /** Is it one path and no other? */
  get isExact(): boolean {
    return this.#parts.every((part) => typeof part === "string");
  }

  /**
   * What stands at its variables, decoded; nothing for another path, and for one that cannot be decoded. A variable whose
   * name begins with `_` only has to be there.
   */
  match(path: string): Params | undefined {
    const parts = path.split("/", this.#parts.length + 1);
    if (parts.length !== this.#parts.length) return undefined;
    const variables = Object.create(null) as Record<string, string>;
    for (const [at, part] of this.#parts.entries()) {
      const given = parts[at]!;
      if (typeof part === "string") {
        if (part !== given) return undefined;
        continue;
      }
      const value = given === "" ? undefined : decodePart(given);
      if (value === undefined) return undefined;
      if (!part.variable.startsWith("_")) variables[part.variable] = value;
    }
    return variables;
  }
}

function decodePart(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
