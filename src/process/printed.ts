/**
 * Says how Node's console prints what a class makes: else whoever prints a ref prints the whole system with it, and what its
 * processes were handed.
 */
export function printedAs<T extends object>(prototype: T, text: (one: T) => string): void {
  Object.defineProperty(prototype, Symbol.for("nodejs.util.inspect.custom"), {
    value(this: T): string {
      return text(this);
    },
  });
}
