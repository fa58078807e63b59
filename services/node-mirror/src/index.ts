export { NodeMirror, type NodeMirrorPorts, type NodeMirrorSettings } from './node-mirror';
export { DockerRuntime, type DockerSettings } from './docker/docker-runtime';
export { type Dockerd, type DockerdPlaces, findDockerd } from './docker/dockerd';
export { mirrorUrl } from './mirror-url';
export { Refusal } from './refusal';
export type { FileReport, Report, RuntimeReport } from './report';
export type { Installation, Plan, Runtime, RuntimeName, Step, Target, Verdict } from './runtime';
export { waitForMirror } from './mirror-ready';
