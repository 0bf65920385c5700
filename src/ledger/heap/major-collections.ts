/**
 * Something for weak references that goes in a collection of the old generation and in no other: V8 makes symbols there. V8 14.6 (Node 26, not 24)
 * clears weak references to young objects in collections of the young generation as well, many a second under load.
 */
export function bornOld(): symbol {
  return Symbol();
}

/** Tells whether the old generation was collected since it was last asked. Costs nothing in between: what nothing else holds is gone then. */
export class MajorCollections {
  private sentinel = new WeakRef(bornOld());

  happened(): boolean {
    if (this.sentinel.deref() !== undefined) return false;
    this.sentinel = new WeakRef(bornOld());
    return true;
  }
}
