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
}

/** The messages of a subject, in order, until `take` returns `false` or the last one was read. */
export async function readBatches(
  { jsm, js }: Session,
  { stream, subject, from, to }: Range,
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
    if (info.num_pending === 0) return;
    const consumer = js.consumers.getConsumerFromInfo(info);
    const messages = await consumer.fetch({ max_messages: info.num_pending, expires: 5_000 });
    for await (const message of messages) {
      const atMs = Number(message.timestampNanos / 1_000_000n);
      const batch = { ...decodeBatch(message.data), sequence: message.seq, atMs };
      if (!take(batch) || message.seq >= to || message.info.pending === 0) break;
    }
  } finally {
    jsm.consumers.delete(stream, info.name).catch(() => {});
  }
}
