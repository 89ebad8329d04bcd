import { checkKnown } from "./check.ts";
import { specOf, type ChildOptions, type ChildSpec } from "./child-spec.ts";
import type { AnyProcessClass } from "./plan.ts";

/** What a supervisor is to the supervisor above it. */
export type SupervisedOptions = Pick<
  ChildOptions<object>,
  "restart" | "restartDelayMs" | "significant" | "shutdown"
>;

const supervisedOptions: ReadonlySet<string> = new Set<keyof SupervisedOptions>([
  "restart",
  "restartDelayMs",
  "significant",
  "shutdown",
]);

/** The spec of any supervisor; its process is made from `tree`. */
export function supervisorSpec(
  process: AnyProcessClass,
  what: string,
  tree: { readonly name?: { readonly key: string } },
  options: SupervisedOptions,
): ChildSpec<object> {
  checkKnown(what, options, supervisedOptions);
  const { name } = tree;
  const given = { shutdown: "infinity", ...options, args: [tree], ...(name && { name }) };
  return specOf(process, given, "supervisor", name?.key ?? what);
}
