/** Of a member of a {@link RecencyList}: its neighbours, for the list alone. */
export interface Linked<T> {
  older: T | undefined;
  newer: T | undefined;
}

/** Members by when they were added: a list through the members themselves, so that any of them leaves in O(1). */
export class RecencyList<T extends Linked<T>> {
  oldest: T | undefined = undefined;
  newest: T | undefined = undefined;
  size = 0;

  /** Adds what is in no list, as the newest. */
  add(member: T): void {
    member.older = this.newest;
    if (this.newest === undefined) this.oldest = member;
    else this.newest.newer = member;
    this.newest = member;
    this.size++;
  }

  /** Takes a member out. */
  remove(member: T): void {
    if (member.older === undefined) this.oldest = member.newer;
    else member.older.newer = member.newer;
    if (member.newer === undefined) this.newest = member.older;
    else member.newer.older = member.older;
    member.older = member.newer = undefined;
    this.size--;
  }
}
