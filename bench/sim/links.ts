/** How fast a host sends and receives, in bytes a millisecond. */
export interface LinkRates {
  readonly up: number;
  readonly down: number;
}

interface Host {
  readonly up: number;
  readonly down: number;
  readonly out: Set<Flow>;
  readonly in: Set<Flow>;
  /** The most that one flow gets of its uplink and of its downlink. */
  upLevel: number;
  downLevel: number;
  sent: number;
  received: number;
}

/** Bytes on their way from one host to another. */
export interface Flow {
  readonly id: number;
  readonly from: number;
  readonly to: number;
  left: number;
  rate: number;
  /** As of when `left` is true. */
  at: number;
  /** When it is looked at next. */
  due: number;
}

/** A flow with less than this left, in bytes, has ended. */
const NOTHING = 0.5;

/**
 * The links of all hosts, shared fairly: a flow has the smaller of what its sender and its receiver give to each of their flows, and a host
 * gives to the others what one of its flows cannot take (max-min fairness, brought up to date at both ends of a flow whenever one begins or
 * ends there).
 */
export class Links {
  private readonly hosts: Host[] = [];
  private readonly flows = new Map<number, Flow>();
  private next = 0;

  /** @param schedule has {@link look} called at a time for a flow. */
  constructor(private readonly schedule: (time: number, flow: number) => void) {}

  /** Answers the number of the new host. */
  add({ up, down }: LinkRates): number {
    this.hosts.push({ up, down, out: new Set(), in: new Set(), upLevel: up, downLevel: down, sent: 0, received: 0 });
    return this.hosts.length - 1;
  }

  sentBy(host: number): number {
    return this.hosts[host]?.sent ?? 0;
  }

  begin(now: number, from: number, to: number, bytes: number): Flow {
    const flow: Flow = { id: this.next++, from, to, left: bytes, rate: 0, at: now, due: Infinity };
    this.flows.set(flow.id, flow);
    this.host(from).out.add(flow);
    this.host(to).in.add(flow);
    this.share(now, from, to);
    return flow;
  }

  /** Ends a flow that is not needed any more. */
  cancel(now: number, flow: Flow): void {
    if (!this.flows.has(flow.id)) return;
    this.progress(now, flow);
    this.remove(now, flow);
  }

  /** Answers the flow when it has ended by now. */
  look(now: number, id: number): Flow | undefined {
    const flow = this.flows.get(id);
    if (flow === undefined || now < flow.due) return undefined;
    this.progress(now, flow);
    if (flow.left > NOTHING) {
      this.plan(now, flow, true);
      return undefined;
    }
    this.remove(now, flow);
    return flow;
  }

  private remove(now: number, flow: Flow): void {
    this.flows.delete(flow.id);
    this.host(flow.from).out.delete(flow);
    this.host(flow.to).in.delete(flow);
    this.share(now, flow.from, flow.to);
  }

  /** Shares the uplink of one host and the downlink of another anew. */
  private share(now: number, from: number, to: number): void {
    const sender = this.host(from);
    const receiver = this.host(to);
    sender.upLevel = levelOf(sender.up, sender.out, (flow) => this.host(flow.to).downLevel);
    receiver.downLevel = levelOf(receiver.down, receiver.in, (flow) => this.host(flow.from).upLevel);
    for (const flow of sender.out) this.adjust(now, flow);
    for (const flow of receiver.in) if (flow.from !== from) this.adjust(now, flow);
  }

  private adjust(now: number, flow: Flow): void {
    const rate = Math.min(this.host(flow.from).upLevel, this.host(flow.to).downLevel);
    if (rate === flow.rate) return;
    this.progress(now, flow);
    flow.rate = rate;
    this.plan(now, flow, false);
  }

  /** Has the flow looked at when it should have ended. One that became slower is looked at too early, and again then. */
  private plan(now: number, flow: Flow, isLooked: boolean): void {
    const end = now + Math.max(flow.left, 0) / flow.rate;
    if (end >= flow.due && !isLooked) return;
    flow.due = end;
    this.schedule(end, flow.id);
  }

  private progress(now: number, flow: Flow): void {
    const bytes = Math.min(flow.left, flow.rate * (now - flow.at));
    flow.left -= bytes;
    flow.at = now;
    this.host(flow.from).sent += bytes;
    this.host(flow.to).received += bytes;
  }

  private host(number: number): Host {
    const host = this.hosts[number];
    if (host === undefined) throw new RangeError(`there is no host ${number}`);
    return host;
  }
}

/** What each flow may have of a link at most, so that all of it is used as far as the other ends can. */
function levelOf(capacity: number, flows: ReadonlySet<Flow>, otherEnd: (flow: Flow) => number): number {
  if (flows.size === 0) return capacity;
  const limits: number[] = [];
  for (const flow of flows) limits.push(otherEnd(flow));
  limits.sort((one, other) => one - other);
  let left = capacity;
  for (let index = 0; index < limits.length; index += 1) {
    const equal = left / (limits.length - index);
    const limit = limits[index] ?? 0;
    if (limit >= equal) return equal;
    left -= limit;
  }
  // All are held up elsewhere: whoever comes to have more there may have it here.
  return (limits.at(-1) ?? 0) + left;
}
