// Long-polling by hand: requests as the stock client makes them, and any others.
import { request, type IncomingHttpHeaders, type OutgoingHttpHeaders } from "node:http";
import type { Frame } from "./clients.ts";

/** What a request was answered. */
export interface PollAnswer {
  /** Of HTTP. */
  readonly http: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** What the body says, of one that is JSON. */
  readonly status: number | undefined;
  readonly token: string | null | undefined;
  readonly messages: readonly Frame[] | undefined;
}

interface Asked {
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Buffer;
}

/** Sends one request on a connection of its own. */
export function ask(
  url: string,
  { method = "GET", headers = {}, body }: Asked = {},
): Promise<PollAnswer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent: false }, (response) => {
      let text = "";
      response.on("data", (data: Buffer) => (text += String(data)));
      response.on("error", reject);
      response.on("end", () => {
        const isJson = response.headers["content-type"]?.startsWith("application/json") === true;
        const { status, token, messages } = (isJson ? JSON.parse(text) : {}) as {
          readonly status?: number;
          readonly token?: string | null;
          readonly messages?: readonly string[];
        };
        resolve({
          http: response.statusCode!,
          headers: response.headers,
          body: text,
          status,
          token,
          messages: messages?.map((message) => JSON.parse(message) as Frame),
        });
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

/** A client that polls when it is told to. */
export class PollClient {
  readonly url: string;
  token = "";

  constructor(url: string, query = "vsn=2.0.0") {
    this.url = `${url}/socket/longpoll?${query}`;
  }

  /** Opens a session. */
  async open(headers: OutgoingHttpHeaders = {}): Promise<PollAnswer> {
    const answer = await ask(this.url, { headers });
    this.token = answer.token ?? "";
    return answer;
  }

  /** Polls, with the token of the last answer in the query, as the stock client does. */
  async poll(headers: OutgoingHttpHeaders = {}): Promise<PollAnswer> {
    const answer = await ask(`${this.url}&token=${this.token}`, { headers });
    if (answer.token) this.token = answer.token;
    return answer;
  }

  /** Polls until it has so many messages. */
  async messages(count: number): Promise<Frame[]> {
    const messages: Frame[] = [];
    for (let polls = 0; messages.length < count; polls++) {
      if (polls > 100) throw new Error(`${polls} polls brought ${messages.length} of ${count}`);
      const { status, messages: more = [] } = await this.poll();
      if (status !== 200 && status !== 204) throw new Error(`a poll was answered ${status}`);
      messages.push(...more);
    }
    return messages;
  }

  /** Posts one message, or a batch of messages and lines. */
  post(...lines: readonly (Frame | string)[]): Promise<PollAnswer> {
    const body = lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line)));
    return this.postBody(body.join("\n"));
  }

  postBody(body: string | Buffer, type = "application/x-ndjson"): Promise<PollAnswer> {
    const headers = type === "" ? {} : { "content-type": type };
    return ask(`${this.url}&token=${this.token}`, { method: "POST", headers, body });
  }
}
