import { createHash } from "node:crypto";

/** Longer ones are told apart by what they come to. */
const longest = 200;

/**
 * A topic as one token of a subject: neither a dot nor a wildcard nor anything that a line of the protocol ends with.
 * Letters, digits and `_ - : /` stay, so that people can read it; other bytes are `=` and two digits.
 */
export function subjectToken(topic: string): string {
  let token = "";
  for (const byte of Buffer.from(topic)) {
    const letter = String.fromCharCode(byte);
    token += /[\w\-:/]/.test(letter)
      ? letter
      : `=${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  if (token.length > longest) return `~${createHash("sha256").update(topic).digest("hex")}`;
  // A token is not empty.
  return token === "" ? "=" : token;
}
