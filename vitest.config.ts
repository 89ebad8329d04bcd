import type { ViteUserConfig } from "vitest/config";

const conditions = ["sluice-source"];
const config: ViteUserConfig = {
  ssr: { resolve: { conditions } },
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    execArgv: conditions.map((name) => `--conditions=${name}`),
  },
};
export default config;
