import { Producer, topology, type Addressable } from "sluice";

/** Emits in every way there is. */
export class Inbox extends Producer<string> {
  push(events: readonly string[]): void {
    this.emit(events);
  }
  offered(events: readonly string[]): Promise<void> {
    return this.offer(events);
  }
  async awaited(events: readonly string[]): Promise<void> {
    await this.offer(events);
  }
  tried(events: readonly string[]): boolean {
    return this.tryOffer(events);
  }
  laterOffered(events: readonly string[]): void {
    this.self.after(1, () => this.offer(events));
  }
  note(log: string[], line: string): void {
    this.self.afterBuffered(() => void log.push(line));
  }
}

/** What a stage shows of itself. */
export const figures = (stage: Addressable): Readonly<Record<string, number>> =>
  topology(stage).nodes[0]!.figures;
