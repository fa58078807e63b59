import type { DaemonReach, ReachFault } from '@cdk8s-dragonfly/protocol';

import { NoAnswer } from './daemon-client';
import type { DaemonClient, Trouble } from './daemon-client';
import type { Finding } from './finding';

const LOOK = 'look at its pod and log (kubectl describe, kubectl logs; systemctl status, journalctl)';

/**
 * What to do about a df-daemon that does not answer, by how it does not. What may be done without a loss comes first: whoever reads this was
 * woken, and does it.
 */
const ADVICE: Readonly<Record<Trouble, string>> = {
  absent: `${LOOK} and start it; pulls go to the registry meanwhile`,
  broken: `it is ending or has just ended: run dfget doctor again, and if that says the same, ${LOOK}`,
  unopened:
    'see that the address is its own, and that no firewall of this node drops the packets (iptables -S, nft list ruleset); if ss -ltn shows more in Recv-Q than in Send-Q for that port, it hangs: then look at its pod and log, and restart it in the usual way',
  silent: [
    'it hangs, and pulls of this node wait for it',
    `1. ${LOOK}, and at ps -C node -o pid,stat,wchan:20,args: with T somebody has stopped it, and kill -CONT PID lets it go on; with D it waits for its disk`,
    '2. where it has the liveness probe of the constructs it is restarted within 25 s: run dfget doctor again then',
    '3. else restart it in the usual way: kubectl delete pod POD --grace-period=30, or systemctl restart',
    '4. only if that does not end it, kill -9 PID: its store stays whole, and docker and containerd go on at the registry, but a layer that podman or CRI-O is just getting fails, and they have to pull again',
  ].join('; '),
};

/** Whether the daemon is up, by its own word. */
export async function readiness(daemon: DaemonClient, readyz: URL): Promise<Finding> {
  const subject = 'df-daemon';
  try {
    const answer = await daemon.question(readyz);
    const text = (await answer.text()).trim();
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
      advice: `${ADVICE[error.trouble]}${error.trouble === 'silent' ? '' : '; if its --ops-listen is another, give --readyz'}`,
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
      `${ADVICE[error.trouble]}${error.trouble === 'silent' ? '' : '; if its --hostIp or --port are others, give --mirror'}`,
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
  const meanwhile = isServed ? 'the others do its work meanwhile' : 'pulls go to the registry meanwhile';
  return places.map(({ name, status, why = '', fault }) => {
    if (status === 200) return { subject, state: 'ok', says: `${name} answers the df-daemon` };
    // Original ones before 0.3.0 do not know the ping.
    if (status === 404)
      return { subject, state: 'ok', says: `${name} answers the df-daemon, and does not know /_ping` };
    if (status !== undefined) {
      return {
        subject,
        state: isServed ? 'warn' : 'fail',
        says: `${name} answers the df-daemon with ${status} for /_ping, which is not how a supernode answers`,
        advice: 'see what listens there: --node, and /etc/dragonfly.conf, have to name the port of a supernode (8002)',
      };
    }
    return {
      subject,
      state: isServed ? 'warn' : 'fail',
      says: `${name} does not answer the df-daemon: ${why}`,
      advice: `${whatOfSupernode(name, fault)}; ${meanwhile}`,
    };
  });
}

function whatOfSupernode(name: string, fault: ReachFault | undefined): string {
  const runs = 'see whether the supernode runs (kubectl get pods and logs)';
  switch (fault) {
    case 'name':
      return `see whether ${name} is the name of its Service, and whether the DNS of this node answers`;
    case 'silent':
      return 'its process hangs, or its node gets no CPU or no disk: look at its pod and log, and restart it in the usual way (kubectl delete pod); what it has on its disk stays';
    case 'refused':
      return `${runs}, and listens at that port`;
    case 'certificate':
    case 'unopened':
    case undefined:
      return `${runs}, and whether a NetworkPolicy or firewall lets this node to its TCP ports 8002 and 8001 and UDP port 8003`;
  }
}

/** Whether the daemon reaches its registries, a finding each. */
export function registries({ registries: places }: DaemonReach): readonly Finding[] {
  const subject = 'registry';
  return places.map(({ name, hosts, status, why = '', fault, own }) => {
    const shown = hosts.length === 0 ? name : `${hosts[0] ?? ''} (${name})`;
    if (status === undefined) {
      return {
        subject,
        state: 'fail',
        says: `${shown} does not answer the df-daemon: ${why}`,
        advice: `${whatOfRegistry(fault)}; meanwhile only what the swarm has can be pulled`,
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

function whatOfRegistry(fault: ReachFault | undefined): string {
  const proxy = 'HTTPS_PROXY and NO_PROXY of the df-daemon';
  switch (fault) {
    case 'certificate':
      return 'give the df-daemon the authority of its certificate: certs of registries in dfdaemon.yml, or --origin-ca; if it had one, see whether the certificate has expired or names another host (openssl s_client -connect HOST:PORT -showcerts)';
    case 'name':
      return `see whether the host is spelled right in --registry, and whether the DNS of this node knows it (${proxy} count too)`;
    case 'refused':
      return 'see whether the registry runs, and whether host and port of --registry are its own';
    case 'silent':
    case 'unopened':
    case undefined:
      return `see whether the registry runs, and whether this node reaches it (firewall, ${proxy})`;
  }
}
