import { invalidOption } from "./errors.ts";

const minSecretBytes = 32;
/** A secret of fewer different characters is an example. */
const minDistinct = 8;

/** Secrets that are hard to guess, at least one. @throws SLUICE_INVALID_OPTION, which never tells what it got */
export function checkSecrets(secrets: unknown): asserts secrets is readonly string[] {
  if (!Array.isArray(secrets)) throw invalidOption("secrets", typeof secrets, "a list of secrets");
  if (secrets.length === 0) throw invalidOption("secrets", "none", "at least one secret");
  for (const [index, secret] of (secrets as unknown[]).entries())
    checkSecret(`secrets[${index}]`, secret);
}

/** What it got may be most of a secret. */
function checkSecret(option: string, secret: unknown): void {
  const expected = `at least ${minSecretBytes} bytes that are hard to guess`;
  if (typeof secret !== "string") throw invalidOption(option, typeof secret, expected);
  const bytes = new TextEncoder().encode(secret).length;
  if (bytes < minSecretBytes) throw invalidOption(option, `${bytes} bytes`, expected);
  if (new Set(secret).size < minDistinct)
    throw invalidOption(option, `${new Set(secret).size} different characters`, expected);
}
