import { CommandError } from '@cdk8s-dragonfly/command';

/** A value somewhere in a manifest, which knows where: every message names object and path. */
export class Field {
  /**
   * @param value what stands there; undefined when nothing does
   * @param place the object and the path in it, such as `Deployment supernode: spec.replicas`
   */
  constructor(
    readonly value: unknown,
    readonly place: string,
  ) {}

  /** The member `name`, present or not. */
  get(name: string): Field {
    const value = this.isMapping() ? this.value[name] : undefined;
    return new Field(value, `${this.place}${this.place.endsWith(': ') ? '' : '.'}${name}`);
  }

  /** The members of a mapping; none when it is absent. */
  members(): readonly (readonly [string, Field])[] {
    if (this.value === undefined || this.value === null) return [];
    if (!this.isMapping()) throw this.wrong('a mapping');
    return Object.keys(this.value).map((name) => [name, this.get(name)] as const);
  }

  /** The items of a list; none when it is absent. */
  items(): readonly Field[] {
    if (this.value === undefined || this.value === null) return [];
    if (!Array.isArray(this.value)) throw this.wrong('a list');
    return this.value.map((item: unknown, index) => new Field(item, `${this.place}[${index}]`));
  }

  text(): string {
    if (typeof this.value !== 'string') throw this.wrong('a text');
    return this.value;
  }

  optionalText(): string | undefined {
    return this.value === undefined ? undefined : this.text();
  }

  integer(): number {
    if (typeof this.value !== 'number' || !Number.isSafeInteger(this.value)) throw this.wrong('a whole number');
    return this.value;
  }

  /** A number, or the name of one, as in `targetPort`. */
  integerOrText(): number | string {
    return typeof this.value === 'string' ? this.value : this.integer();
  }

  texts(): readonly string[] {
    return this.items().map((item) => item.text());
  }

  /** A mapping of texts. */
  record(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.members().map(([name, field]) => [name, field.text()]));
  }

  /**
   * Refuses members that are not in `known`: what the demo does not understand, it must not pass over.
   *
   * @throws CommandError naming the first such member
   */
  onlyMembers(known: readonly string[]): void {
    const stranger = this.members().find(([name]) => !known.includes(name));
    if (stranger) throw this.refusal(`${stranger[1].place} has no counterpart in a local process`);
  }

  refusal(reason: string): CommandError {
    return new CommandError(`${reason}; the demo runs what the composite of this library writes, see demo/app/main.ts`);
  }

  private wrong(expected: string): CommandError {
    const given = this.value === undefined ? 'absent' : JSON.stringify(this.value);
    return new CommandError(`${this.place} must be ${expected}, not ${given}`);
  }

  private isMapping(): this is { readonly value: Readonly<Record<string, unknown>> } {
    return typeof this.value === 'object' && this.value !== null && !Array.isArray(this.value);
  }
}
