import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { run } from './run';
import type { UndoStack } from './undo-stack';

const BRIDGE = 'bridge0';

/** Frames on switches go through these rules where the module br_netfilter is loaded, as Docker has it: each namespace decides for itself. */
const BRIDGE_RULES = ['iptables', 'ip6tables', 'arptables'].map(
  (rules) => `/proc/sys/net/bridge/bridge-nf-call-${rules}`,
);

/**
 * The longest packet on a cable, in bytes. What a network card does with packets, here the CPU does that the programs share: with 1,500 bytes it took
 * a quarter of all CPU of a herd of 16, and three times as much as this. With 9,000, as the networks of data centres have it, the queue of a narrow link
 * is too short for what 48 connections have under way at least.
 */
const MTU = '4500';

/** The address of the tests themselves. */
export const OWN_IP = '10.77.0.1';

/**
 * One switch in the namespace of the tests, and a namespace with a cable to it for each host. The tests have an address on
 * the switch; nobody can reach anything outside.
 */
export class Network {
  private hosts = 0;

  private constructor(private readonly undo: UndoStack) {}

  static async create(undo: UndoStack): Promise<Network> {
    await run(['ip', 'link', 'add', BRIDGE, 'type', 'bridge']);
    undo.push(`remove ${BRIDGE}`, () => run(['ip', 'link', 'delete', BRIDGE]));
    // A switch has no rules. Here they would take a twenty-fifth of all CPU that a herd of 16 needs.
    for (const file of BRIDGE_RULES) if (existsSync(file)) writeFileSync(file, '0');
    await run(['ip', 'address', 'add', `${OWN_IP}/24`, 'dev', BRIDGE]);
    await run(['ip', 'link', 'set', BRIDGE, 'up']);
    return new Network(undo);
  }

  /** Adds the namespace `name` and returns its address. */
  async attach(name: string): Promise<string> {
    this.hosts += 1;
    const ip = `10.77.0.${10 + this.hosts}`;
    await run(['ip', 'netns', 'add', name]);
    this.undo.push(`remove network namespace ${name}`, () => run(['ip', 'netns', 'delete', name]));
    await run(['ip', '-n', name, 'link', 'set', 'lo', 'up']);
    // As most nodes have it, loss slows a sender down. BBR, with many short transfers on a narrow link, has every fifth packet lost.
    await run(['ip', 'netns', 'exec', name, 'sysctl', '-q', '-w', 'net.ipv4.tcp_congestion_control=reno']);
    const cable = ['mtu', MTU, 'type', 'veth', 'peer', 'name', 'eth0', 'mtu', MTU, 'netns', name];
    await run(['ip', 'link', 'add', name, ...cable]);
    this.undo.push(`remove link ${name}`, () => run(['ip', 'link', 'delete', name]));
    await run(['ip', 'link', 'set', name, 'master', BRIDGE, 'up']);
    await run(['ip', '-n', name, 'address', 'add', `${ip}/24`, 'dev', 'eth0']);
    await run(['ip', '-n', name, 'link', 'set', 'eth0', 'up']);
    return ip;
  }

  /** Limits what a host can send, in megabits a second. */
  async limitUplink(name: string, megabits: number): Promise<void> {
    await run(['tc', '-n', name, 'qdisc', 'add', 'dev', 'eth0', 'root', 'tbf', ...tokenBucket(megabits)]);
  }

  /** Limits what a host can send, and what it can receive, in megabits a second each. */
  async limitLink(name: string, megabits: number): Promise<void> {
    await this.limitUplink(name, megabits);
    await run(['tc', 'qdisc', 'add', 'dev', name, 'root', 'tbf', ...tokenBucket(megabits)]);
  }

  /** Bytes that a host has sent since it was attached, headers of all layers included. */
  bytesSentBy(name: string): number {
    // What the host sends is what the switch's end of its cable receives.
    const line = readFileSync('/proc/self/net/dev', 'utf8')
      .split('\n')
      .find((candidate) => candidate.trim().startsWith(`${name}:`));
    const bytes = line?.split(':')[1]?.trim().split(/\s+/)[0];
    if (bytes === undefined) throw new Error(`There is no cable to ${name}.`);
    return Number(bytes);
  }
}

function tokenBucket(megabits: number): readonly string[] {
  return ['rate', `${megabits}mbit`, 'burst', '64kb', 'latency', '50ms'];
}
