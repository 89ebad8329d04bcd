import { availableParallelism } from "node:os";
import { env } from "node:process";
import { fileURLToPath } from "node:url";
import type { ViteUserConfig } from "vitest/config";

const conditions = ["sluice-source"];

// For all processes that tests start: they load the same sources, which are compiled once.
env["NODE_COMPILE_CACHE"] ??= fileURLToPath(new URL(".cache/compiled", import.meta.url));

/** One project for each folder of tests: `vitest run --project unit`. */
const project = (
  name: string,
  include: string,
  { exclude = [], ...more }: { exclude?: string[]; pool?: "threads" } = {},
) => ({
  extends: true as const,
  test: { ...more, name, include: [include], exclude: ["**/node_modules/**", ...exclude] },
});

const config: ViteUserConfig = {
  ssr: { resolve: { conditions } },
  test: {
    // Nobody waits for these but who hangs: a machine that is busy takes long for what is quick.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // The default leaves one to the runner, which is idle once the modules are transformed.
    maxWorkers: availableParallelism(),
    execArgv: conditions.map((name) => `--conditions=${name}`),
    projects: [
      // Isolated as processes are, and sooner there.
      project("unit", "src/**/*.test.ts", { pool: "threads" }),
      project("repository", "scripts/**/*.test.ts"),
      project("integration", "test/**/*.test.ts", { exclude: ["test/browser/**"] }),
      project("browser", "test/browser/**/*.test.ts"),
    ],
  },
};
export default config;
