import { expect } from "vitest";

/** A `phx_ref`. */
export const ref = expect.stringMatching(/^[0-9a-z]{20}\.[0-9a-z]+$/) as string;
