/** What a run says, a line each with its time, and how much of it is wrong. */
export class Report {
  readonly #started = Date.now();
  #faults = 0;

  /** A number that no other run has. */
  get run(): number {
    return this.#started;
  }

  get faults(): number {
    return this.#faults;
  }

  say(text: string): void {
    process.stdout.write(`${((Date.now() - this.#started) / 1000).toFixed(1).padStart(6)} s  ${text}\n`);
  }

  /** @param detail is told when it is not so */
  check(what: string, ok: boolean, detail = ''): void {
    if (!ok) this.#faults += 1;
    this.say(`${ok ? 'ok  ' : 'FAIL'}  ${what}${ok || detail === '' ? '' : `: ${detail}`}`);
  }

  /** Text of somebody else, below a line of ours. */
  quote(text: string): void {
    process.stdout.write(text.replace(/^(?=.)/gm, '          '));
  }
}
