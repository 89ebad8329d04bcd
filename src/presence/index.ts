export { presence } from "./presence.ts";
export type {
  Presence,
  PresencePage,
  PresenceServer,
  PresentSelf,
  PushingSelf,
} from "./presence.ts";
export { defaultPresenceLimits } from "./limits.ts";
export type { PresenceLimits } from "./limits.ts";
export type {
  Announces,
  Present,
  PresenceChange,
  PresenceMeta,
  PresenceOptions,
} from "./options.ts";
