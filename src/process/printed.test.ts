import { inspect } from "node:util";
import { expect, it } from "vitest";
import { Process, child, name, start, startSupervisor } from "./index.ts";

class Vault extends Process {
  readonly #secret: string;
  constructor(secret: string) {
    super();
    this.#secret = secret;
  }
  printed(): string {
    return inspect([this, this.self, this.#secret.length], { depth: 10 });
  }
}

it("a ref, its owner, a self and a tree are printed by their pids, and say nothing that was handed in (R92)", async () => {
  const vault = name<Vault>("vault");
  await using alone = await start(Vault, { args: ["hunter2"] });
  await using app = await startSupervisor({
    strategy: "one_for_one",
    children: { vault: child(Vault, { args: ["hunter3"], name: vault }) },
  });
  const ref = vault.whereis();
  expect(inspect(alone)).toBe(`Ref [${alone.pid}]`);
  expect(inspect(ref)).toBe(`Ref [${ref?.pid}]`);
  const everything = inspect([alone, app, app.children.vault, vault, ref], { depth: 10 });
  for (const text of [everything, await alone.call.printed()]) {
    expect(text).toContain(`[${alone.pid}]`);
    expect(text).not.toContain("hunter");
    expect(text.length).toBeLessThan(600);
  }
});
