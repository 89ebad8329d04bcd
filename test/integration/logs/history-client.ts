import { setTimeout as sleep } from "node:timers/promises";
import { type Channel, Socket, type SocketConnectOption } from "phoenix";
import { resumable } from "sluice/client";
import { push } from "../support/clients.ts";

/** A stock client that resumes: what it was told, how often that something is missing, and for how long it was away. */
export class HistoryClient implements Disposable {
  readonly texts: string[] = [];
  /** How long it was away, each time. */
  readonly awayMs: number[] = [];
  lost = 0;
  isJoined = false;
  readonly channel: Channel;
  readonly #socket: Socket;
  #since: number | undefined = undefined;

  /** @param options what differs from the client's own */
  constructor(url: string, topic: string, options: Partial<SocketConnectOption> = {}) {
    this.#socket = new Socket(`${url.replace("http", "ws")}/socket`, options);
    this.#socket.onClose(() => void (this.#since ??= performance.now()));
    this.channel = this.#socket.channel(topic, {});
    resumable(this.channel, { lost: () => this.lost++ });
    this.channel.on("said", ({ text }: { readonly text: string }) => void this.texts.push(text));
    this.channel.join().receive("ok", () => {
      this.isJoined = true;
      if (this.#since !== undefined) this.awayMs.push(performance.now() - this.#since);
      this.#since = undefined;
    });
    this.#socket.connect();
  }

  [Symbol.dispose](): void {
    this.#socket.disconnect();
  }
}

/** Says one thing after the other until it is told to end: what was acknowledged, and how much was not. */
export class HistorySpeaker {
  readonly acked: string[] = [];
  failures = 0;
  #on = true;
  readonly #done: Promise<void>;

  constructor(client: HistoryClient, name: string) {
    this.#done = this.#run(client, name);
  }

  async end(): Promise<void> {
    this.#on = false;
    await this.#done;
  }

  async #run({ channel }: HistoryClient, name: string): Promise<void> {
    let n = 0;
    while (this.#on) {
      const text = `${name}:${++n}`;
      // While it is not joined, the client would keep it for later.
      const [status] = channel.state === "joined" ? await push(channel, "say", { text }) : ["away"];
      if (status === "ok") this.acked.push(text);
      else this.failures++;
      await sleep(10);
    }
  }
}
