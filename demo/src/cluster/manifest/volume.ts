import type { Field } from './field';

/** Where the files of a volume come from. */
export type Volume =
  | { readonly type: 'hostPath'; readonly path: string }
  | { readonly type: 'emptyDir' }
  | { readonly type: 'configMap'; readonly configMap: string; readonly mode: number };

/** A volume in a container's file system. */
export interface Mount {
  readonly volume: string;
  readonly path: string;
  /** The part of the volume that is mounted; undefined for all of it. */
  readonly subPath: string | undefined;
}

/** @throws CommandError for a type of volume that is no folder of files here */
export function readVolume(field: Field): readonly [string, Volume] {
  const name = field.get('name').text();
  const [source, ...more] = field.members().filter(([member]) => member !== 'name');
  if (!source || more.length > 0) throw field.refusal(`${field.place} needs one source of files`);
  const [type, settings] = source;
  switch (type) {
    case 'hostPath':
      settings.onlyMembers(['path', 'type']);
      return [name, { type, path: settings.get('path').text() }];
    case 'emptyDir':
      return [name, { type }];
    case 'configMap': {
      settings.onlyMembers(['name', 'defaultMode']);
      const mode = settings.get('defaultMode');
      return [
        name,
        { type, configMap: settings.get('name').text(), mode: mode.value === undefined ? 0o644 : mode.integer() },
      ];
    }
    default:
      throw field.refusal(
        `${field.place} is a volume of the type ${type}, and only hostPath, emptyDir and configMap can be folders here`,
      );
  }
}

/** A mount of a container. @throws the refusal of a field that has no meaning here, with its place. */
export function readMount(field: Field): Mount {
  field.onlyMembers(['name', 'mountPath', 'subPath', 'readOnly']);
  return {
    volume: field.get('name').text(),
    path: field.get('mountPath').text(),
    subPath: field.get('subPath').optionalText(),
  };
}
