import { setTimeout as pause } from 'node:timers/promises';
import type { Probe } from '../../test/support/pod';
import type { Daemon } from './daemon';

/** What the kubelet did to a container, in milliseconds since its probe was answered for the last time. */
export interface Killing {
  readonly told: number;
  readonly ended: number;
}

/**
 * The kubelet's part in a container with a liveness probe: asks every period, ends a container that does not answer (SIGTERM, and SIGKILL
 * when the probe's own grace is over), and starts it again. Kubernetes documents it as "Configure Liveness, Readiness and Startup Probes".
 */
export class Kubelet {
  readonly #stopped = new AbortController();
  readonly #killings: Killing[] = [];
  #lastAnswer = 0;
  #onAnswer: (() => void) | undefined;
  #loop: Promise<void> = Promise.resolve();

  private constructor(
    private readonly probe: Probe,
    private readonly url: string,
    private daemon: Daemon,
    private readonly restart: () => Promise<Daemon>,
  ) {}

  /** @param url where the probe asks. @param restart starts the container anew */
  static watch(probe: Probe, url: string, daemon: Daemon, restart: () => Promise<Daemon>): Kubelet {
    const kubelet = new Kubelet(probe, url, daemon, restart);
    kubelet.#loop = kubelet.#run();
    return kubelet;
  }

  /** The container as it is now. */
  get container(): Daemon {
    return this.daemon;
  }

  get killings(): readonly Killing[] {
    return this.#killings;
  }

  /** Resolves at the next answer: who begins to hang then is found out last. */
  async nextAnswer(): Promise<void> {
    await new Promise<void>((resolve) => (this.#onAnswer = resolve));
  }

  /** @throws what went wrong while it watched */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    let failures = 0;
    while (!signal.aborted) {
      const next = pause(this.probe.periodSeconds * 1000, undefined, { signal }).catch(() => undefined);
      if (await this.#answers()) {
        failures = 0;
        this.#lastAnswer = performance.now();
        this.#onAnswer?.();
      } else {
        failures += 1;
        if (failures === this.probe.failureThreshold) {
          await this.#replace();
          failures = 0;
        }
      }
      await next;
    }
  }

  async #answers(): Promise<boolean> {
    try {
      const signal = AbortSignal.timeout(this.probe.timeoutSeconds * 1000);
      const response = await fetch(this.url, { signal });
      return response.status >= 200 && response.status < 400;
    } catch {
      // No answer, late or refused: that is what the probe is for.
      return false;
    }
  }

  async #replace(): Promise<void> {
    const told = performance.now() - this.#lastAnswer;
    await this.daemon.stop(this.probe.terminationGracePeriodSeconds * 1000);
    this.#killings.push({ told, ended: performance.now() - this.#lastAnswer });
    this.daemon = await this.restart();
  }
}
