import { UsageError } from '@cdk8s-dragonfly/command';

/** An image by its parts. */
export interface ImageName {
  /** The registry, as image names spell it. */
  readonly host: string;
  readonly repository: string;
  /** A tag or a digest. */
  readonly reference: string;
}

const IMAGE =
  /^((?:[a-z0-9._-]+|\[[0-9a-f:.]+\]|[a-z0-9._-]+:[0-9]+)\/)?([a-z0-9._/-]+?)(?::([\w][\w.-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?$/;

/**
 * An image as runtimes read its name: without a host it is Docker Hub's, without a tag or digest `latest`; a digest wins over a tag.
 *
 * @throws UsageError
 */
export function imageName(text: string): ImageName {
  const [, first = '', rest = '', tag = 'latest', digest] = IMAGE.exec(text) ?? [];
  const isHost = /[.:]|^localhost\//.test(first);
  const path = isHost ? rest : `${first}${rest}`;
  if (path === '' || path.split('/').includes('')) {
    throw new UsageError(
      `--image ${JSON.stringify(text.slice(0, 200))} is no image; write [HOST/]NAME[:TAG], such as docker.io/library/alpine:3.20`,
    );
  }
  const host = isHost ? first.slice(0, -1) : 'docker.io';
  const repository = host === 'docker.io' && !path.includes('/') ? `library/${path}` : path;
  return { host, repository, reference: digest ?? tag };
}
