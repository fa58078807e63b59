/** A set of names from which one can be drawn at random; each operation costs the same however many there are. */
export class Roll {
  private readonly names: string[] = [];
  private readonly placeOf = new Map<string, number>();

  get size(): number {
    return this.names.length;
  }

  add(name: string): void {
    if (this.placeOf.has(name)) return;
    this.placeOf.set(name, this.names.length);
    this.names.push(name);
  }

  remove(name: string): void {
    const place = this.placeOf.get(name);
    if (place === undefined) return;
    this.placeOf.delete(name);
    const last = this.names.pop();
    // The last one moves to the free place.
    if (last === undefined || last === name) return;
    this.names[place] = last;
    this.placeOf.set(last, place);
  }

  /** One of them; undefined when there is none. */
  anyone(random: () => number): string | undefined {
    return this.names[Math.floor(random() * this.names.length)];
  }
}
