import { ApiObject, JsonPatch } from 'cdk8s';

/** The wire form of an object. */
interface Synthesized {
  toJson(): unknown;
}

// jsii knows no functions outside of classes.
/**
 * Changes objects as they are written, with the names that the API server knows (`hostPID`, not `hostPid`), and with fields that are
 * newer than the types. cdk8s' own `addJsonPatch` runs before names are mapped, and loses both.
 */
// eslint-disable-next-line @typescript-eslint/no-extraneous-class
export class WirePatch {
  /**
   * Changes an object at every synthesis, after all that was patched before.
   *
   * @param object what to change, such as `dragonfly.daemon.daemonSet`
   * @param patches operations on its JSON form, such as `JsonPatch.add('/spec/template/spec/hostPID', true)`
   */
  public static apply(object: ApiObject, ...patches: JsonPatch[]): void {
    if (!ApiObject.isApiObject(object)) {
      throw new Error(
        'WirePatch.apply() was given no object of Kubernetes: name a member such as daemon.daemonSet, and one that is there: ' +
          'deployment with one replica, statefulSet with several.',
      );
    }
    const target: Synthesized = object;
    const before = target.toJson.bind(object);
    target.toJson = () => patches.reduce((document, patch) => patched(object, document, patch), before());
  }

  private constructor() {
    // Static functions alone.
  }
}

function patched(object: ApiObject, document: unknown, patch: JsonPatch): unknown {
  try {
    return JsonPatch.apply(document, patch) as unknown;
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new Error(
      `${object.node.path}: the wire patch ${JSON.stringify(patch)} cannot be applied (${reason ?? 'no reason given'}): ` +
        'each parent of its path must be there; paths are those of the YAML, with ~1 for a slash in a key.',
      { cause: error },
    );
  }
}
