/** Thrown by a message of the library's own: the caller is told `cause`, the process goes on. */
export class ErrorReply extends Error {
  constructor(cause: unknown) {
    super("the reply is an error", { cause });
  }
}
