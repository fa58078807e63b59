/** What has been done and must be undone, the latest first. */
export class UndoStack {
  private readonly entries: { readonly what: string; readonly undo: () => Promise<unknown> }[] = [];

  push(what: string, undo: () => Promise<unknown>): void {
    this.entries.push({ what, undo });
  }

  /** Undoes everything, also when some of it fails, and returns a line for each failure. */
  async unwind(): Promise<string[]> {
    const failures: string[] = [];
    for (let entry = this.entries.pop(); entry !== undefined; entry = this.entries.pop()) {
      try {
        await entry.undo();
      } catch (error) {
        failures.push(`${entry.what}: ${String(error)}`);
      }
    }
    return failures;
  }
}
