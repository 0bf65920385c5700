/**
 * Tells whether the old generation was collected since it was last asked. Costs nothing in between: V8 clears weak
 * references in major collections only, so an object that nothing else holds is gone when there was one.
 */
export class MajorCollections {
  private sentinel = new WeakRef({});

  happened(): boolean {
    if (this.sentinel.deref() !== undefined) return false;
    this.sentinel = new WeakRef({});
    return true;
  }
}
