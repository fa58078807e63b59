/** A value of a prop, and what has to be seen of it where it is to arrive. */
export interface Case<Value> {
  readonly given: Value;
  /** Other props without which this one may not be given. */
  readonly beside?: object;
  /** A part of the {@link View}. */
  readonly arrives: object;
}

type AtLeastTwo<Value> = readonly [Case<Value>, Case<Value>, ...Case<Value>[]];

/** Two values or more for each prop; a prop without is an error of types. */
export type Cases<Props> = { readonly [Prop in keyof Required<Props>]: AtLeastTwo<NonNullable<Props[Prop]>> };
