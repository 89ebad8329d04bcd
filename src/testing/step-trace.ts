import { describe, describeReason, type ExitReason } from "../support/internal.ts";
import { ChannelKind } from "../channels/internal.ts";
import { Kind, State, type Cell, type Message } from "../process/internal.ts";
import { StageKind } from "../stage/internal.ts";
import type { Fault } from "./schedule.ts";

/** One step, as it was about to be taken. */
interface Step {
  readonly atMs: number;
  readonly cell: Cell;
  readonly message: Message | undefined;
  /** What was in it: some are used again. */
  readonly content: Message | undefined;
  readonly sender: Cell | undefined;
  readonly what: string | undefined;
  /** It has taken the message. */
  taken: boolean;
  readonly wrong: readonly Fault[];
  /** Which of how many that could have run, from 0. */
  readonly chosen: number;
  readonly ready: number;
}

/** Steps kept for people; the digest covers all. */
const kept = 200;
/** How much of a value is shown. */
const shownLength = 60;

/** What a simulation did, step by step: who handled which message when, what went wrong, whom chance preferred. */
export class StepTrace {
  steps = 0;
  /** FNV-1a over all steps: two runs with one digest did the same. */
  digest = 0x811c9dc5;
  /** Who sent a message, where that is known. */
  senderOf: (message: Message) => Cell | undefined = () => undefined;
  /** What was logged stands between them. */
  #last: (Step | string)[] = [];

  /** A process is about to take its next step. */
  add(cell: Cell, atMs: number, wrong: readonly Fault[], chosen: number, ready: number): void {
    const message = cell.head;
    this.steps++;
    this.#mix(Math.round(atMs * 1_000));
    this.#mix(cell.id);
    this.#mix(cell.state);
    if (message !== undefined) this.#mixMessage(message);
    const what = message === undefined || cell.busy ? turnOf(cell) : undefined;
    const sender = message === undefined ? undefined : this.senderOf(message);
    const content =
      message !== undefined && message.kind >= StageKind.subscribe ? { ...message } : message;
    this.#keep({
      atMs,
      cell,
      message,
      content,
      sender,
      what,
      taken: false,
      wrong,
      chosen,
      ready,
    });
  }

  /** Something was logged. */
  logged(atMs: number, level: string, message: string): void {
    this.#keep(`${atMs.toFixed(3)} ${level}: ${message}`);
  }

  #keep(what: Step | string): void {
    this.#last.push(what);
    if (this.#last.length > 2 * kept) this.#last = this.#last.slice(-kept);
  }

  /** It has taken it. */
  taken(): void {
    const last = this.#last.findLast((one) => typeof one !== "string");
    if (last?.message === undefined) return;
    // A crash takes all messages, and has handled none.
    last.taken = last.cell.head !== last.message && last.cell.state !== State.dead;
  }

  /** The last steps, for people. */
  get last(): readonly string[] {
    return this.#last.slice(-kept).flatMap((one) => (typeof one === "string" ? one : lines(one)));
  }

  #mix(value: number): void {
    this.digest = Math.imul(this.digest ^ value, 0x01000193) >>> 0;
  }

  #mixMessage({ kind, tag = 0, count = 0, events, name = "" }: Message & Partial<Known>): void {
    this.#mix(kind);
    this.#mix(tag);
    this.#mix(count);
    this.#mix(events?.length ?? 0);
    for (let index = 0; index < name.length; index++) this.#mix(name.charCodeAt(index));
  }
}

/** What messages of all kinds may have in them. */
interface Known {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly reply: unknown;
  readonly from: Cell;
  readonly content: unknown;
  readonly reason: ExitReason;
  readonly tag: number;
  readonly count: number;
  readonly events: readonly unknown[];
  readonly options: { readonly maxDemand: number; readonly minDemand: number };
  readonly data: unknown;
  readonly incoming: { readonly event: string; readonly payload: unknown };
  readonly broadcast: { readonly event: string };
}

/** Why a process has a turn that is no message. */
function turnOf({ state, doom, stopReason, settled, busy }: Cell): string {
  if (doom !== undefined) return `ends: ${describeReason(doom)}`;
  if (settled !== undefined) return settled.failed ? "its callback has failed" : "goes on";
  if (stopReason !== undefined) return `stops: ${describeReason(stopReason)}`;
  if (state === State.starting && !busy) return "starts";
  return "has a turn";
}

/** A message by its name. */
function said(message: Message): string {
  const { name, args, reply, from, content, reason, ...stage } = message as Message & Known;
  switch (message.kind) {
    case Kind.user:
      return `${reply === undefined ? "cast" : "call"} ${name}(${args.map(short).join(", ")})`;
    case Kind.closure:
      return "work of its own";
    case Kind.info:
      return `info ${short(content)}`;
    case Kind.exit:
      return `exit of ${from.pid}: ${describeReason(content as ExitReason)}`;
    case Kind.childExit:
      return `its child ${from.pid} has ended: ${describeReason(content as ExitReason)}`;
    case Kind.drain:
      return "drain";
    case ChannelKind.connect:
      return "a client connects";
    case ChannelKind.frame:
      return `frame ${short(stage.data)}`;
    case ChannelKind.gone:
      return "its client is gone";
    case ChannelKind.join:
      return `join ${short(stage.incoming.payload)}`;
    case ChannelKind.event:
      return `event ${stage.incoming.event} ${short(stage.incoming.payload)}`;
    case ChannelKind.leave:
      return "leave";
    case ChannelKind.broadcast:
      return `broadcast ${stage.broadcast.event}`;
    default:
      return between(message.kind, reason, stage);
  }
}

/** A message between stages. */
function between(
  kind: number,
  reason: ExitReason | undefined,
  { tag, count, events, options }: Pick<Known, "tag" | "count" | "events" | "options">,
): string {
  switch (kind) {
    case StageKind.subscribe:
      return `subscribe ${tag}: at most ${options.maxDemand}, again at ${options.minDemand}`;
    case StageKind.ask:
      return `ask ${tag} for ${count}`;
    case StageKind.events:
      return `events ${tag}: ${short(events)}`;
    case StageKind.cancel:
      return `cancel ${tag}: ${describeReason(reason!)}`;
    case StageKind.cancelled:
      return `cancelled ${tag}: ${describeReason(reason!)}`;
    default:
      return reason === undefined
        ? `message ${kind} of ${tag}`
        : `down ${tag}: ${describeReason(reason)}`;
  }
}

function short(value: unknown): string {
  const text = describe(value);
  return text.length > shownLength ? `${text.slice(0, shownLength)}…` : text;
}

const harm = {
  crash: () => "CRASHES instead",
  abort: () => "CRASHES instead",
  slow: ({ ms }: Fault) => `IS SLOW: ${ms} ms before it`,
  jump: ({ ms }: Fault) => `THE WALL CLOCK jumps ${ms} ms before it`,
};

/** A step as a line, what went wrong with it as one each. */
function lines(step: Step): string[] {
  const { atMs, cell, content, sender, what, taken, wrong, chosen, ready } = step;
  const who = `${atMs.toFixed(3)} ${cell.pid}`;
  const parts: string[] = what === undefined ? [] : [what];
  if (content !== undefined && (what === undefined || taken))
    parts.push(`${said(content)}${sender === undefined ? "" : ` from ${sender.pid}`}`);
  const order = chosen > 0 ? ` (number ${chosen + 1} of ${ready} in line)` : "";
  const line = `${who} ${parts.join(", then ")}${order}`;
  return [line, ...wrong.map((fault) => `${who} ${harm[fault.kind](fault)}`)];
}
