import { AckPolicy, DeliverPolicy } from "@nats-io/jetstream";
import { decodeBatch, type StoredBatch } from "./nats-batch.ts";
import type { Session } from "./nats-link.ts";

/** A batch, and when and where it was stored. */
export interface ReadBatch extends StoredBatch {
  readonly sequence: number;
  readonly atMs: number;
}

/** What a {@link readBatches} reads. */
export interface Range {
  readonly stream: string;
  readonly subject: string;
  /** The sequences of the first and the last message to be read. */
  readonly from: number;
  readonly to: number;
  /** So many are asked for at a time: what is asked for comes, whether it is wanted to the end or not. */
  readonly atOnce: number;
}

/** The messages of a subject, in order, until `take` returns `false` or the last one was read; rejects if that does not come. */
export async function readBatches(
  { jsm, js }: Session,
  { stream, subject, from, to, atOnce }: Range,
  take: (batch: ReadBatch) => boolean,
): Promise<void> {
  const info = await jsm.consumers.add(stream, {
    ack_policy: AckPolicy.None,
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: from,
    filter_subject: subject,
    mem_storage: true,
    inactive_threshold: 10_000_000_000,
    num_replicas: 1,
  });
  try {
    const consumer = js.consumers.getConsumerFromInfo(info);
    for (let left = info.num_pending; left > 0;) {
      const most = Math.min(left, atOnce);
      const messages = await consumer.fetch({ max_messages: most, expires: 5_000 });
      let count = 0;
      for await (const message of messages) {
        const atMs = Number(message.timestampNanos / 1_000_000n);
        const batch = { ...decodeBatch(message.data), sequence: message.seq, atMs };
        if (!take(batch) || message.seq >= to) return;
        left = message.info.pending;
        if (++count === most || left === 0) break;
      }
      if (count === 0) throw new Error("the stream ended before the last of its messages was read");
    }
  } finally {
    jsm.consumers.delete(stream, info.name).catch(() => {});
  }
}
