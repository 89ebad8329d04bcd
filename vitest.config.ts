import type { ViteUserConfig } from "vitest/config";

const conditions = ["sluice-source"];

/** One project for each folder of tests: `vitest run --project unit`. */
const project = (name: string, include: string, exclude: string[] = []) => ({
  extends: true as const,
  test: { name, include: [include], exclude: ["**/node_modules/**", ...exclude] },
});

const config: ViteUserConfig = {
  ssr: { resolve: { conditions } },
  test: {
    testTimeout: 30_000,
    hookTimeout: 30_000,
    execArgv: conditions.map((name) => `--conditions=${name}`),
    projects: [
      project("unit", "src/**/*.test.ts"),
      project("repository", "scripts/**/*.test.ts"),
      project("integration", "test/**/*.test.ts", ["test/browser/**"]),
      project("browser", "test/browser/**/*.test.ts"),
    ],
  },
};
export default config;
