export { postgresAdapter } from "./postgres-adapter.ts";
export type { PostgresAdapterOptions } from "./postgres-adapter.ts";
