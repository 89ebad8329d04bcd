/** A one-line fault: `line` of `file`, which stands there once, becomes `fault`. */
export interface Mutant {
  readonly name: string;
  readonly file: string;
  readonly line: string;
  readonly fault: string;
}

/** Faults of the engine that the simulation has to find. */
export const mutants: readonly Mutant[] = [
  {
    name: "a lost down",
    file: "src/process/monitor.ts",
    line: "    owner.send(down(reason));\n  };",
    fault: "    void down(reason);\n  };",
  },
  {
    name: "a down told twice",
    file: "src/process/monitor.ts",
    line: "    owner.send(down(reason));\n  };",
    fault: "    owner.send(down(reason));\n    owner.send(down(reason));\n  };",
  },
  {
    name: "a name not freed",
    file: "src/process/end.ts",
    line: "  if (plan.name !== undefined) table.names.delete(plan.name);",
    fault: "",
  },
  {
    name: "timers outlive their process",
    file: "src/process/end.ts",
    line: "  more.own?.release(reason);",
    fault: "",
  },
  {
    name: "a call that nobody refuses",
    file: "src/process/end.ts",
    line: "  if (cell.inHand !== undefined) refuse(cell.inHand);",
    fault: "",
  },
  {
    name: "one message too many in a mailbox",
    file: "src/process/send.ts",
    line: "cell.waiting >= cell.plan.maxMailbox",
    fault: "cell.waiting > cell.plan.maxMailbox",
  },
  {
    name: "a killed callback that never counts as ended",
    file: "src/process/cell.ts",
    line: "    if (this.state === State.dead) return lay(this);",
    fault: "    if (this.state === State.dead) return;",
  },
  {
    name: "one restart too few",
    file: "src/process/restart-intensity.ts",
    line: "    return this.restarts.length <= this.maxRestarts;",
    fault: "    return this.restarts.length < this.maxRestarts;",
  },
  {
    name: "restarts in the wrong order",
    file: "src/process/supervisor-engine.ts",
    line: "    return this.children.slice(first);",
    fault: "    return this.children.slice(first).toReversed();",
  },
  {
    name: "stops in the wrong order",
    file: "src/process/supervisor-engine.ts",
    line: "for (const child of children.toReversed()) {",
    fault: "for (const child of children) {",
  },
  {
    name: "an ask sent twice",
    file: "src/stage/intake.ts",
    line: "    this.again(maxDemand - left);",
    fault: "    for (const _ of [1, 2]) transmit(this.producer, ask(this.tag, maxDemand - left));",
  },
  {
    name: "demand not asked for again",
    file: "src/stage/intake.ts",
    line: "    this.again(maxDemand - left);",
    fault: "",
  },
  {
    name: "demand of the dead",
    file: "src/stage/outlet.ts",
    line: "    this.dispatcher.cancel(consumption);",
    fault: "",
  },
  {
    name: "one event more than asked for",
    file: "src/stage/demand-dispatcher.ts",
    line: "const size = Math.min(entry.demand, count - start);",
    fault: "const size = Math.min(entry.demand + 1, count - start);",
  },
  {
    name: "a buffer loses its head",
    file: "src/stage/buffer.ts",
    line: "    else first.start += size;",
    fault: "    else first.start += size + 1;",
  },
  {
    name: "a buffer keeps the wrong end",
    file: "src/stage/buffer.ts",
    line: 'if (this.keep === "first") {',
    fault: 'if (this.keep === "last") {',
  },
  {
    name: "a marker that does not wait",
    file: "src/stage/outlet.ts",
    line: "place: buffer.passed + buffer.size",
    fault: "place: buffer.passed",
  },
  {
    name: "an offer that is never taken",
    file: "src/stage/outlet.ts",
    line: "      return this.offers.push(offer);",
    fault: "      return;",
  },
  {
    name: "a place for a child not given back",
    file: "src/stage/consumer-supervisor-engine.ts",
    line: "    this.#running--;",
    fault: "",
  },
  {
    name: "who leaves a topic takes all with it",
    file: "src/channels/fan-out/fan-out.ts",
    line: "    if (subscribers.size + expected.size > 0) return;",
    fault: "",
  },
  {
    name: "an offset used again after a trim",
    file: "src/store/kept-entries.ts",
    line: "    this.#bytes -= this.#kept.shift()!.bytes;",
    fault: "    this.#bytes -= this.#kept.shift()!.bytes;\n    this.#lastOffset--;",
  },
  {
    name: "what was missed comes behind what is new",
    file: "src/channels/history/history-reply.ts",
    line: '  for (const { text } of replay) socket.client.send(new Outgoing(frameForOne(text), "kept"));',
    fault:
      '  void Promise.resolve().then(() => { for (const { text } of replay) socket.client.send(new Outgoing(frameForOne(text), "kept")); });',
  },
  {
    name: "let in before the tail has heard as much",
    file: "src/channels/history/topic-tail.ts",
    line: "    if (hold.after === undefined || this.position!.offset < hold.after) return;",
    fault: "    if (hold.after === undefined) return;",
  },
  {
    name: "a gap of the log that is not told",
    file: "src/channels/history/catch-up.ts",
    line: 'if (this.#status !== undefined && this.#status !== "reset") this.#status = read.status;',
    fault: "",
  },
  {
    name: "what was held is told twice",
    file: "src/channels/history/hold.ts",
    line: "this.#messages.filter(({ offset }) => offset > this.after!)",
    fault: "this.#messages",
  },
  {
    name: "a subscription not made again",
    file: "src/pubsub/link.ts",
    line: "    await this.#subscribe(connection, this.#holds.open);",
    fault: "",
  },
  {
    name: "a node that hears its own",
    file: "src/pubsub/link.ts",
    line: "    if (from === this.#from) return kind === beatKind ? this.#kept.heard() : undefined;",
    fault: "    if (from === this.#from && kind === beatKind) return this.#kept.heard();",
  },
  {
    name: "a gap between nodes that is not told",
    file: "src/pubsub/link.ts",
    line: "    this.#announce(connection, downMs);",
    fault: "",
  },
  {
    name: "a removal forgotten that came first",
    file: "src/presence/presence-state.ts",
    line: "      if (!seen.has(clock)) dead.add(clock);",
    fault: "",
  },
  {
    name: "a clock used again after a crash",
    file: "src/presence/tracker-process.ts",
    line: "new PresenceState(replicaId(cell.system), settings.maxRemovals)",
    fault:
      "new PresenceState(cell.system.get(incarnations).get(key) ?? replicaId(cell.system), settings.maxRemovals)",
  },
  {
    name: "the dead that do not leave",
    file: "src/presence/replica-link.ts",
    line: "    this.#changed({ joins: [], leaves: [...this.#state.rowsOf(id)] });",
    fault: "",
  },
  {
    name: "an answer overtakes what waits",
    file: "src/channels/socket/sending-half.ts",
    line: "      !this.marked &&\n",
    fault: "",
  },
  {
    name: "an answer overtakes what is on its way",
    file: "src/channels/socket/sending-half.ts",
    line: "    const { flusher } = this.#world;\n    flusher.catchUp(this);",
    fault: "    const { flusher } = this.#world;",
  },
  {
    name: "a hand-out overtakes what waits",
    file: "src/channels/socket/sending-half.ts",
    line: "    if (this.#isIdleFor(frame) && this.#world.flusher.takesTurn())",
    fault: "    if (this.#world.flusher.takesTurn())",
  },
  {
    name: "whoever speaks has not heard what went before",
    file: "src/channels/fan-out/topic-subscribers.ts",
    line: "      this.catchUp(sender.socket.client);",
    fault: "      break;",
  },
  {
    name: "a socket out of line while it is written",
    file: "src/channels/fan-out/flusher.ts",
    line: "        socket.marked = socket.flush(this.#shared);",
    fault: "        socket.marked = socket.flush(this.#shared) && false;",
  },
];
