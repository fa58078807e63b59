const DOMAIN = '(?:\\[[0-9a-fA-F:]+\\]|[A-Za-z0-9](?:[-.A-Za-z0-9]*[A-Za-z0-9])?)(?::[0-9]+)?';
const PATH_PART = '[a-z0-9]+(?:(?:\\.|_{1,2}|-+)[a-z0-9]+)*';
/** As container runtimes read references. */
const IMAGE = new RegExp(
  `^(?:${DOMAIN}/)?${PATH_PART}(?:/${PATH_PART})*(?::[A-Za-z0-9_][-.A-Za-z0-9_]{0,127})?(?:@sha256:[0-9a-f]{64})?$`,
);
const MAX_IMAGE = 512;

/**
 * The name of an image of ours.
 *
 * @param part what is in it, for messages
 * @throws Error naming the prop, the value and the fix.
 */
export function checkImage(prop: string, value: string | undefined, part: string): string {
  const example = `registry.example.com/dragonfly/${part}:0.1.0`;
  if (value === undefined || value === '') {
    throw new Error(
      `${prop} is missing: no image is published yet, so name the one that you built, such as ${example}.`,
    );
  }
  return checkImageName(prop, value, example);
}

/**
 * The name of a container image.
 *
 * @throws Error naming the prop, the value and the fix.
 */
export function checkImageName(prop: string, value: string, example: string): string {
  const [, digest] = /@(.*)$/s.exec(value) ?? [];
  if (digest !== undefined && !/^sha256:[0-9a-f]{64}$/.test(digest)) {
    throw new Error(`${prop} "${value}" has the digest "${digest}": write sha256: and 64 hexadecimal digits.`);
  }
  if (!IMAGE.test(value) || value.length > MAX_IMAGE) {
    throw new Error(
      `${prop} "${value}" is no image name: write [HOST[:PORT]/]NAME[:TAG][@DIGEST] without scheme and blanks, NAME in lower case, ` +
        `such as ${example}.`,
    );
  }
  return value;
}
