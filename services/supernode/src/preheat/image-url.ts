/** Where `docker.io` keeps its images. */
const DOCKER_HUB = 'registry-1.docker.io';
const DOCKER_HUB_NAMES: ReadonlySet<string> = new Set(['docker.io', 'index.docker.io', DOCKER_HUB]);

/** One component of a repository name (OCI distribution specification, "Pulling manifests"). */
const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const NAME = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
const MANIFEST_PATH = /^\/v2\/(.+)\/manifests\/([^/]+)$/;
const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?$/;
const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])(?::|$)/;
/** The longest name of a repository, in characters. */
const LONGEST_NAME = 255;

/** The manifest of an image, and the repository that it is in. */
export interface ImageUrl {
  readonly manifest: URL;
  /** `https://HOST/v2/NAME/`: manifests and blobs are below it. */
  readonly repository: URL;
}

/**
 * Where an image's manifest is. Takes its URL (`…/v2/NAME/manifests/REFERENCE`), or what one writes behind `docker pull`:
 * `nginx`, `docker.io/library/nginx:1.25`, `registry.example:5000/team/app@sha256:…`. A loopback registry is asked over http, as
 * container runtimes do, any other over https.
 *
 * @returns undefined when it is neither.
 */
export function imageUrl(image: string): ImageUrl | undefined {
  const text = /^https?:\/\//i.test(image) ? image : urlOfReference(image);
  if (text === undefined || !URL.canParse(text)) return undefined;
  const manifest = new URL(text);
  const [, name = '', reference = ''] = MANIFEST_PATH.exec(manifest.pathname) ?? [];
  const plain = reference.replace(/%3a/i, ':');
  if (!isName(name) || !(TAG.test(plain) || DIGEST.test(plain))) return undefined;
  if (manifest.username !== '' || manifest.password !== '') return undefined;
  return { manifest, repository: new URL(`/v2/${name}/`, manifest) };
}

function urlOfReference(image: string): string | undefined {
  const slash = image.indexOf('/');
  const first = slash < 0 ? '' : image.slice(0, slash);
  // What could be a host is one: it has a dot or a port, or is this machine.
  const named = first === 'localhost' || /[.:]/.test(first);
  const host = named ? first : 'docker.io';
  const rest = named ? image.slice(slash + 1) : image;
  const [, path, tag, digest] = /^([^:@]+)(?::([^@]*))?(?:@(.+))?$/.exec(rest) ?? [];
  if (path === undefined || !isName(path) || !HOST.test(host) || (tag !== undefined && !TAG.test(tag)))
    return undefined;
  const hub = DOCKER_HUB_NAMES.has(host);
  const name = hub && !path.includes('/') ? `library/${path}` : path;
  const scheme = LOOPBACK.test(host) ? 'http' : 'https';
  return `${scheme}://${hub ? DOCKER_HUB : host}/v2/${name}/manifests/${digest ?? tag ?? 'latest'}`;
}

function isName(name: string): boolean {
  return name.length <= LONGEST_NAME && NAME.test(name);
}
