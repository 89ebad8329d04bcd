const kept: object[] = [];

/**
 * Keeps one object of a class whose objects come and go. With the last of them a collection takes away what the compiler
 * knows of the class, and all code that relies on it: between two messages there may be none.
 */
export function keepShape(example: object): void {
  kept.push(example);
}
