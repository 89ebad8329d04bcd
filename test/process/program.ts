// The programs of run.test.ts: each a tree that is run as users run it. `node program.ts <scenario>`
import { argv } from "node:process";
import { Process, child, name, run, sleep, type Name, type SupervisorOptions } from "sluice";

const worker: Name<Worker> = name("worker");

class Worker extends Process {
  async work(ms: number): Promise<void> {
    console.info("works");
    await sleep(ms, new AbortController().signal);
    console.info("worked");
  }
  crash(): void {
    throw new Error("on purpose");
  }
  float(): void {
    void Promise.reject(new Error("nobody waits for this"));
  }
  leave(): void {
    this.self.stop("normal");
  }
  protected override terminate(): void {
    console.info("terminates");
  }
}

const tree = {
  strategy: "one_for_one",
  children: { worker: child(Worker, { name: worker, shutdown: 60_000 }) },
} as const satisfies SupervisorOptions<{}>;

const scenarios: Record<string, () => Promise<unknown>> = {
  idle: () => run(tree, { ready: () => console.info("ready") }),
  busy: () =>
    run(tree, {
      ready() {
        worker.cast.work(300);
        worker.cast.work(300);
      },
    }),
  stubborn: () => run(tree, { ready: () => worker.cast.work(60_000) }),
  late: () => run(tree, { drainTimeoutMs: 200, ready: () => worker.cast.work(60_000) }),
  crash: () => run({ ...tree, maxRestarts: 0 }, { ready: () => worker.cast.crash() }),
  ready: () =>
    run(tree, { ready: () => Promise.reject(new Error("not ready")) }).catch((error: unknown) =>
      console.info(String(error)),
    ),
  floating: () =>
    run(
      {
        strategy: "one_for_one",
        autoShutdown: "any_significant",
        children: {
          worker: child(Worker, { name: worker, restart: "transient", significant: true }),
        },
      },
      {
        async ready() {
          await worker.call.float();
          await sleep(50);
          worker.cast.leave();
        },
      },
    ),
  starting() {
    class Hanging extends Process {
      protected override async init(): Promise<void> {
        console.info("starts");
        await sleep(60_000);
      }
    }
    return run({ ...tree, children: { ...tree.children, hanging: child(Hanging) } });
  },
};

const reason = await scenarios[argv[2] ?? ""]?.();
console.info(`over: ${JSON.stringify(reason)}`);
