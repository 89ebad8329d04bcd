// Clients that bring no types: what the tests use of them.
interface UntypedPush {
  receive(status: string, callback: (response: unknown) => void): UntypedPush;
}
interface UntypedChannel {
  join(): UntypedPush;
  leave(): UntypedPush;
  push(event: string, payload: object): UntypedPush;
  on(event: string, callback: (payload: unknown) => void): unknown;
}
interface UntypedOptions {
  readonly transport?: unknown;
  readonly params?: object;
  readonly timeout?: number;
  readonly reconnectAfterMs?: (tries: number) => number;
}
declare class UntypedSocket {
  constructor(url: string, options?: UntypedOptions);
  connect(): void;
  disconnect(callback?: () => void): void;
  channel(topic: string, params?: object): UntypedChannel;
}

declare module "phoenix-channels" {
  export { UntypedSocket as Socket };
}
declare module "phoenix-socket" {
  export { UntypedSocket as Socket };
}
