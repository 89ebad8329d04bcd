import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { attach } from "../telemetry/index.ts";
import { simulate, type Simulation } from "../testing/index.ts";
import { Process, info, name, refOf, sleep, start, type Ref } from "./index.ts";

/** Runs a program in 20 schedules. */
async function simulated(program: (simulation: Simulation) => Promise<void>): Promise<void> {
  await simulate(program, { seeds: 20 });
}

let silence: Disposable;
beforeEach(() => void (silence = attach("sluice.log", () => {})));
afterEach(() => silence[Symbol.dispose]());

class Account extends Process {
  #balance = 0;
  deposit(amount: number): number {
    if (!Number.isFinite(amount)) throw new RangeError("no amount");
    return (this.#balance += amount);
  }
  balance(): number {
    return this.#balance;
  }
  async slowly(ms: number, value: string): Promise<string> {
    await sleep(ms);
    return value;
  }
  never(): Promise<void> {
    return new Promise(() => {});
  }
  async askSelf(): Promise<number> {
    return refOf<Account>(this).call.balance();
  }
  itself(): this {
    return this;
  }
  async itselfLater(): Promise<this> {
    return this;
  }
  leave(): void {
    this.self.stop("normal");
  }
}

describe("call", () => {
  it("O12: resolves with what the method returned, or with what its promise gave", () =>
    simulated(async () => {
      await using account = await start(Account);
      expect(await account.call.deposit(5)).toBe(5);
      expect(await account.call.slowly(50, "done")).toBe("done");
    }));

  it("O12: rejects SLUICE_TIMEOUT after 5 s; the process works on, and the late reply answers no other call", () =>
    simulated(async ({ advance }) => {
      await using account = await start(Account);
      const first = account.call.slowly(6_000, "late");
      await expect(first).rejects.toMatchObject({
        code: "SLUICE_TIMEOUT",
        details: { timeoutMs: 5_000 },
        retryable: true,
      });
      const second = account.call.slowly(100, "in time");
      await advance(2_000);
      expect(await second).toBe("in time");
      await expect(first).rejects.toMatchObject({ code: "SLUICE_TIMEOUT" });
    }));

  it("takes another timeout with callWith; Infinity waits as long as it takes", () =>
    simulated(async () => {
      await using account = await start(Account);
      const short = account.callWith({ timeoutMs: 10 }).slowly(20, "x");
      await expect(short).rejects.toMatchObject({ details: { timeoutMs: 10 } });
      const day = 86_400_000;
      expect(await account.callWith({ timeoutMs: Infinity }).slowly(day, "tomorrow")).toBe(
        "tomorrow",
      );
    }));

  it("is given up with the reason of its signal, before or while it waits", () =>
    simulated(async ({ advance }) => {
      await using account = await start(Account);
      const controller = new AbortController();
      const waiting = account.callWith({ signal: controller.signal }).slowly(1_000, "x");
      const abort = advance(10).then(() => controller.abort("enough"));
      await expect(waiting).rejects.toBe("enough");
      await abort;
      const late = account.callWith({ signal: controller.signal }).deposit(1);
      await expect(late).rejects.toBe("enough");
      expect(await account.call.balance()).toBe(0);
    }));

  it("O12: to itself rejects SLUICE_SELF_CALL at once", () =>
    simulated(async () => {
      const account = await start(Account);
      await expect(account.call.askSelf()).rejects.toMatchObject({
        code: "SLUICE_EXITED",
        details: { reason: { crash: { code: "SLUICE_SELF_CALL", details: { pid: account.pid } } } },
      });
    }));

  it("from a task of the process itself is none to itself: the mailbox goes on", () =>
    simulated(async ({ quiet }) => {
      class Asking extends Account {
        heard: unknown;
        ask(): void {
          this.self.task(
            () => refOf<Account>(this).call.deposit(7),
            (result) => {
              this.heard = result;
            },
          );
        }
        answer(): unknown {
          return this.heard;
        }
      }
      await using account = await start(Asking);
      account.cast.ask();
      await quiet();
      expect(await account.call.answer()).toEqual({ status: "fulfilled", value: 7 });
    }));

  it("O12: rejects SLUICE_EXITED with the reason of a process that ends before it replies, also a normal one", () =>
    simulated(async () => {
      const account = await start(Account);
      const unanswered = account.call.never();
      const queued = account.call.balance();
      const ended = Promise.allSettled([unanswered, queued]);
      await account.stop("normal", { timeoutMs: 10 });
      for (const result of await ended) {
        expect(result).toMatchObject({
          status: "rejected",
          reason: { code: "SLUICE_EXITED", retryable: false },
        });
      }
      const second = await start(Account);
      second.cast.leave();
      await expect(second.call.balance()).rejects.toMatchObject({
        code: "SLUICE_EXITED",
        details: { reason: "normal" },
      });
    }));

  it("rejects SLUICE_EXITED with the crash it caused, the message of a dead process with why that died", () =>
    simulated(async () => {
      const account = await start(Account);
      const crash = {
        code: "SLUICE_EXITED",
        details: { reason: { crash: new RangeError("no amount") } },
      };
      await expect(account.call.deposit(NaN)).rejects.toMatchObject(crash);
      await expect(account.call.balance()).rejects.toMatchObject(crash);
    }));

  it("O1: to a name that nobody has rejects SLUICE_NO_PROCESS, which is retryable", () =>
    simulated(async () => {
      const nobody = name<Account>("nobody");
      const refused = {
        code: "SLUICE_NO_PROCESS",
        retryable: true,
        details: { target: "the name nobody" },
      };
      await expect(nobody.call.balance()).rejects.toMatchObject(refused);
      await expect(nobody.callWith({ timeoutMs: 1 }).balance()).rejects.toMatchObject(refused);
    }));

  it("R16: rejects SLUICE_MAILBOX_FULL when maxMailbox messages wait, and succeeds when they are handled", () =>
    simulated(async ({ advance }) => {
      await using account = await start(Account, { maxMailbox: 2 });
      const inHand = account.call.slowly(100, "x");
      await advance(1);
      account.cast.deposit(1);
      info(account, "counts too");
      await expect(account.call.balance()).rejects.toMatchObject({
        code: "SLUICE_MAILBOX_FULL",
        retryable: true,
        details: { pid: account.pid, limit: 2 },
      });
      await inHand;
      expect(await account.call.balance()).toBe(1);
    }));

  it("O3: its reply comes before what waits in the caller's own mailbox, which it leaves in order", () =>
    simulated(async () => {
      const seen: string[] = [];
      class Caller extends Process {
        async ask(account: Ref<Account>): Promise<void> {
          seen.push(await account.call.slowly(10, "the reply"));
        }
        note(text: string): void {
          seen.push(text);
        }
      }
      await using account = await start(Account);
      await using caller = await start(Caller);
      const asked = caller.call.ask(account);
      caller.cast.note("first");
      info(account, "ignored");
      caller.cast.note("second");
      await asked;
      await caller.call.note("third");
      expect(seen).toEqual(["the reply", "first", "second", "third"]);
    }));

  it("O12: of two processes each to the other waits for no longer than its timeout, and both go on", () =>
    simulated(async ({ advance }) => {
      class Peer extends Process {
        async ask(other: Ref<Peer>, timeoutMs: number): Promise<unknown> {
          await sleep(1);
          return other
            .callWith({ timeoutMs })
            .answer()
            .catch((error: unknown) => error);
        }
        answer(): string {
          return "here";
        }
      }
      await using a = await start(Peer);
      await using b = await start(Peer);
      const asked = [a.call.ask(b, 100), b.call.ask(a, 200)];
      await advance(150);
      expect(await Promise.all(asked)).toMatchObject([{ code: "SLUICE_TIMEOUT" }, "here"]);
      expect(await a.call.ask(b, 100)).toBe("here");
    }));

  it("O4: refuses a reply that is the process itself: its state would leak", () =>
    simulated(async () => {
      await using account = await start(Account);
      const leak = {
        code: "SLUICE_INVALID_RETURN",
        details: { got: "this", expected: "data, or refOf(this)" },
      };
      await expect(account.call.itself()).rejects.toMatchObject(leak);
      await expect(account.call.itselfLater()).rejects.toMatchObject(leak);
      account.cast.itself();
      expect(await account.call.balance()).toBe(0);
    }));

  describe.each([-1, NaN, "5" as never])("with timeoutMs %s", (timeoutMs) => {
    it("is refused", () =>
      simulated(async () => {
        await using account = await start(Account);
        await expect(account.callWith({ timeoutMs }).balance()).rejects.toMatchObject({
          code: "SLUICE_INVALID_OPTION",
          details: { option: "timeoutMs" },
        });
      }));
  });
});
