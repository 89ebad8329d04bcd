export { postgresAdapter } from "./postgres-adapter.ts";
export type { PostgresAdapterOptions } from "./postgres-adapter.ts";
export { postgresLog } from "./postgres-log.ts";
export type { PostgresLogOptions } from "./postgres-log.ts";
