// Which offsets of a log may be committed: up to the first message of a partition that has not settled. No I/O.

/** The messages under way since the last rebalance. */
export interface OffsetTracker {
  delivered(partition: number, offset: bigint): void;
  settled(partition: number, offset: bigint): void;
  /** The next offset to read of each partition that got further since the last call. */
  takeCommittable(): Map<number, bigint>;
}

interface Partition {
  /** Delivered offsets that are not committable yet, in order of delivery, from `head` on. */
  open: bigint[];
  head: number;
  settled: Set<bigint>;
  next: bigint;
  taken: bigint;
}

/** A tracker that has seen nothing yet. */
export function createOffsetTracker(): OffsetTracker {
  const partitions = new Map<number, Partition>();
  return {
    delivered(partition, offset) {
      let known = partitions.get(partition);
      if (known === undefined) {
        known = { open: [], head: 0, settled: new Set(), next: offset, taken: offset };
        partitions.set(partition, known);
      }
      known.open.push(offset);
    },
    settled(partition, offset) {
      const known = partitions.get(partition);
      if (known === undefined) return;
      known.settled.add(offset);
      for (let first = known.open[known.head]; first !== undefined; first = known.open[known.head]) {
        if (!known.settled.delete(first)) break;
        known.head += 1;
        if (first >= known.next) known.next = first + 1n;
      }
      // Moving the head is cheap, and shortening the list now and then keeps it small.
      if (known.head > 10_000) {
        known.open = known.open.slice(known.head);
        known.head = 0;
      }
    },
    takeCommittable() {
      const found = new Map<number, bigint>();
      for (const [partition, known] of partitions) {
        if (known.next === known.taken) continue;
        known.taken = known.next;
        found.set(partition, known.next);
      }
      return found;
    },
  };
}
