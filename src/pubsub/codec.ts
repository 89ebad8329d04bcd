import { SluiceError } from "../support/internal.ts";

/** How messages of one kind cross to other nodes. */
export interface Codec<T> {
  /** Tells kinds apart; a node that does not know one lets its messages go. */
  readonly kind: string;
  /** As text. @throws SLUICE_PAYLOAD_REFUSED */
  encode(topic: string, message: T): string;
  /** From text that another node encoded. Throws for any other. */
  decode(topic: string, text: string): T;
}

/** Anything that JSON can carry. */
export const jsonCodec: Codec<unknown> = {
  kind: "json",
  encode(topic, message) {
    let text: string | undefined;
    try {
      text = JSON.stringify(message);
    } catch (cause) {
      throw messageRefused(topic, "it cannot be written as JSON", cause);
    }
    if (text === undefined) throw messageRefused(topic, "it is no JSON value");
    return text;
  },
  decode: (_topic, text) => JSON.parse(text) as unknown,
};

/** A message that cannot go to other nodes. */
export function messageRefused(
  topic: string,
  why: string,
  cause?: unknown,
): SluiceError<"SLUICE_PAYLOAD_REFUSED"> {
  const message = `a message on ${JSON.stringify(topic)} was refused: ${why}`;
  return new SluiceError(
    "SLUICE_PAYLOAD_REFUSED",
    message,
    { topic, event: "", why },
    cause === undefined ? undefined : { cause },
  );
}
