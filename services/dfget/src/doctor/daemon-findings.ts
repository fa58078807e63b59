import type { DaemonReach } from '@cdk8s-dragonfly/protocol';

import { NoAnswer } from './daemon-client';
import type { DaemonClient } from './daemon-client';
import type { Finding } from './finding';

/** What to do about a df-daemon that is there and says nothing. */
const HANGS =
  'it hangs, and pulls of this node wait for it: its process is stopped (SIGSTOP, a frozen cgroup), gets no CPU, or waits for its disk (ps -o pid,stat,wchan -C node); keep its log, then end it with SIGKILL or delete its pod: runtimes go to the registry at once, and its liveness probe does the same within 25 s where it has one';

/** Whether the daemon is up, by its own word. */
export async function readiness(daemon: DaemonClient, readyz: URL): Promise<Finding> {
  const subject = 'df-daemon';
  try {
    const answer = await daemon.get(readyz);
    const text = (await daemon.text(answer)).trim();
    if (answer.status === 200) return { subject, state: 'ok', says: `it is ready, says ${readyz.href}` };
    const missing = text.split('\n').slice(0, 5).join('; ').slice(0, 300);
    return {
      subject,
      state: 'fail',
      says: `it is not ready, says ${readyz.href} with ${answer.status}: ${missing}`,
      advice: 'wait a few seconds if it has just started or is stopping; else its log says what keeps it',
    };
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    return {
      subject,
      state: 'fail',
      says: `it does not answer at ${readyz.href}: ${error.message}`,
      advice: error.isSilent
        ? HANGS
        : 'start the df-daemon of this node, or see why it ended (kubectl describe and logs of its pod); if its --ops-listen is another, give --readyz',
    };
  }
}

/** What the daemon tells that it reaches; undefined: it tells nothing, and the finding says why. */
export async function reached(
  daemon: DaemonClient,
): Promise<{ readonly reach: DaemonReach | undefined; readonly finding: Finding }> {
  const subject = 'mirror';
  const at = daemon.mirror.origin;
  const failed = (says: string, advice: string): Awaited<ReturnType<typeof reached>> => ({
    reach: undefined,
    finding: { subject, state: 'fail', says, advice },
  });
  try {
    const reach = await daemon.reach();
    if (typeof reach === 'object') {
      return { reach, finding: { subject, state: 'ok', says: `dfdaemon ${reach.version} answers at ${at}` } };
    }
    return reach === 403
      ? failed(
          `it tells about itself to its own machine alone, at ${at}`,
          'run dfget doctor on the node, or in the pod of the df-daemon (kubectl exec)',
        )
      : failed(
          `what answers at ${at} is no dfdaemon of this version: it answers with ${reach}`,
          'find what listens on that port (ss -ltnp), or give the port of the df-daemon with --mirror',
        );
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    return failed(
      `it does not answer at ${at}: ${error.message}`,
      error.isSilent ? HANGS : 'start the df-daemon of this node; if its --hostIp or --port are others, give --mirror',
    );
  }
}

/** Whether the daemon reaches its supernodes, a finding each. */
export function supernodes({ supernodes: places }: DaemonReach): readonly Finding[] {
  const subject = 'supernode';
  if (places.length === 0) {
    return [
      {
        subject,
        state: 'warn',
        says: 'the df-daemon knows none, so that everything comes from the registries',
        advice: 'give the df-daemon --node HOST[:PORT], or name the supernodes in /etc/dragonfly.conf',
      },
    ];
  }
  const isServed = places.some(({ status }) => status !== undefined);
  return places.map(({ name, status, why = '' }) => {
    if (status !== undefined) return { subject, state: 'ok', says: `${name} answers the df-daemon` };
    return {
      subject,
      state: isServed ? 'warn' : 'fail',
      says: `${name} does not answer the df-daemon: ${why}`,
      advice: `see whether the supernode runs, whether ${name} is what its Service names, and whether a NetworkPolicy or firewall lets this node to its TCP ports 8002 and 8001 and UDP port 8003${isServed ? '; the others do its work meanwhile' : '; pulls go to the registry meanwhile'}`,
    };
  });
}

/** Whether the daemon reaches its registries, a finding each. */
export function registries({ registries: places }: DaemonReach): readonly Finding[] {
  const subject = 'registry';
  return places.map(({ name, hosts, status, why = '', own }) => {
    const shown = hosts.length === 0 ? name : `${hosts[0] ?? ''} (${name})`;
    if (status === undefined) {
      return {
        subject,
        state: 'fail',
        says: `${shown} does not answer the df-daemon: ${why}`,
        advice:
          'see whether this node reaches it (DNS, firewall, HTTPS_PROXY and NO_PROXY of the df-daemon), and whether the df-daemon trusts its certificate (--origin-ca); meanwhile only what the swarm has can be pulled',
      };
    }
    if (own && (status === 401 || status === 403)) {
      return {
        subject,
        state: 'fail',
        says: `${shown} refuses the df-daemon's own credentials with ${status}`,
        advice: 'put credentials that are good into the file of --registry-auth; it is read anew when it changes',
      };
    }
    if (status === 200 || status === 401) {
      return { subject, state: 'ok', says: `${shown} answers the df-daemon${own ? ' and takes its credentials' : ''}` };
    }
    return {
      subject,
      state: status >= 500 || status === 429 ? 'fail' : 'warn',
      says: `${shown} answers the df-daemon with ${status} for /v2/, which is not how a registry answers`,
      advice:
        status >= 500 || status === 429
          ? 'see what the registry, or the proxy before it, is suffering from'
          : 'see whether the URL of --registry is that of a registry: scheme, host and port, without a path',
    };
  });
}
