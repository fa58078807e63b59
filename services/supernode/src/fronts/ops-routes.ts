import { RESULT_CODE } from '@cdk8s-dragonfly/protocol';

import type { Routes } from './api-server';
import { OPS_PATHS } from './ops-paths';
import type { Readiness } from './readiness';

/** What the routes tell. */
export interface OpsSources {
  readonly version: string;
  readonly readiness: Readiness;
  readonly metrics: { readonly contentType: string; text(): Promise<string> };
}

/** The document of `GET /version`: members of the original since 0.4.2, as far as they mean something here, and Node's version. */
export interface VersionDocument {
  readonly Version: string;
  /** As Go writes it: `linux`. */
  readonly OS: string;
  /** As Go writes it: `amd64`, `arm64`. */
  readonly Arch: string;
  readonly NodeVersion: string;
}

const GO_ARCH: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };

/** Who this is, for people and scripts. */
export function versionDocument(version: string): VersionDocument {
  const { platform, arch, versions } = process;
  return { Version: version, OS: platform, Arch: GO_ARCH[arch] ?? arch, NodeVersion: versions.node };
}

/** `GET /livez`, `/readyz`, `/version` and `/metrics`. */
export function opsRoutes({ version, readiness, metrics }: OpsSources): Routes {
  return (server) => {
    server.get(OPS_PATHS.live, () => 'ok');
    server.get(OPS_PATHS.ready, async (_request, reply) => {
      const missing = await readiness.missing();
      void reply.header('cache-control', 'no-store');
      if (missing.length === 0) return 'ok';
      return reply.code(503).send({ code: RESULT_CODE.systemError, message: missing.join('; ') });
    });
    server.get(OPS_PATHS.version, () => versionDocument(version));
    server.get(OPS_PATHS.metrics, async (_request, reply) =>
      reply.header('content-type', metrics.contentType).send(await metrics.text()),
    );
  };
}
