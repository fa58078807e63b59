const PREFIX = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const SELECTING = ['app.kubernetes.io/name', 'app.kubernetes.io/instance'];
/** What all our objects have, some of which are found by it. */
const PART_OF = 'app.kubernetes.io/part-of';
const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

type Texts = Readonly<Record<string, string>>;

/**
 * Labels for objects of ours.
 *
 * @throws Error naming the prop, the key and the rule: a key or value that is none, a key that is ours.
 */
export function checkLabels(prop: string, labels: Texts): Texts {
  for (const [key, value] of Object.entries(labels)) {
    checkKey(prop, key);
    if (SELECTING.includes(key)) {
      throw new Error(`${prop} has "${key}", by which pods are found: leave it out, and use name to change it.`);
    }
    if (key === PART_OF) {
      throw new Error(`${prop} has "${key}", which is dragonfly wherever it stands: leave it out.`);
    }
    checkLabelValue(`${prop}["${key}"]`, value);
  }
  return { ...labels };
}

/**
 * Labels that a node must have.
 *
 * @throws Error naming the prop, the key and the rule.
 */
export function checkNodeSelector(prop: string, labels: Texts): Texts {
  for (const [key, value] of Object.entries(labels)) {
    checkKey(prop, key);
    checkLabelValue(`${prop}["${key}"]`, value);
  }
  return { ...labels };
}

/**
 * Annotations for objects of ours.
 *
 * @throws Error naming the prop, the key and the rule.
 */
export function checkAnnotations(prop: string, annotations: Texts): Texts {
  for (const key of Object.keys(annotations)) {
    checkKey(prop, key);
  }
  return { ...annotations };
}

/**
 * Environment variables besides ours.
 *
 * @throws Error naming the prop, the variable and the fix: no name for a variable, one that another prop sets.
 */
export function checkEnv(prop: string, env: Texts, taken: Texts): Texts {
  for (const name of Object.keys(env)) {
    if (!ENV_NAME.test(name)) {
      throw new Error(`${prop} has "${name}", which is no name for a variable: use letters, digits and underscores.`);
    }
    if (taken[name] !== undefined) {
      throw new Error(`${prop} has "${name}", which is set already: use ${taken[name]} to change it.`);
    }
  }
  return { ...env };
}

/**
 * The key of a taint.
 *
 * @throws Error naming the prop, the key and the rule.
 */
export function checkTaint(prop: string, key: string): string {
  checkKey(prop, key);
  return key;
}

function checkKey(prop: string, key: string): void {
  const [name = '', prefix, ...more] = key.split('/').reverse();
  if (more.length > 0 || !NAME.test(name) || (prefix !== undefined && (prefix.length > 253 || !PREFIX.test(prefix)))) {
    throw new Error(
      `${prop} has the key "${key}": use [DOMAIN/]NAME, NAME of at most 63 letters, digits, dashes, dots and underscores.`,
    );
  }
}

function checkLabelValue(what: string, value: string): void {
  if (value !== '' && !NAME.test(value)) {
    throw new Error(
      `${what} is "${value}": use at most 63 letters, digits, dashes, dots and underscores, a letter or digit at both ends.`,
    );
  }
}
