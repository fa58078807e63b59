import type { DragonflyProps } from './dragonfly-props';

/** Ready-made props: those of an installation of original images of one version. */
export class Preset {
  /**
   * The classic installation of Dragonfly 0.2: in `kube-system`, supernode on a `master`, a mirror of one registry. Take it over by
   * spreading it and replacing what differs: `new Dragonfly(chart, 'dragonfly', { ...Preset.classic(), registries: [...] })`. With the original
   * images, which have no `/readyz`, `nodeMirror` needs `readyz: 'none'`. How to move over and on from there: "Coming from Dragonfly 0.x or 1.0"
   * in docs/constructs.md.
   */
  public static classic(): DragonflyProps {
    return new Preset('0.2.0').props();
  }

  private constructor(private readonly version: string) {}

  private props(): DragonflyProps {
    return {
      supernodeImage: `silenceshell/supernode:${this.version}`,
      daemonImage: `silenceshell/df-daemon:${this.version}`,
      registries: [{ url: 'https://registry.docker-cn.com' }],
      namespace: 'kube-system',
      classic: true,
    };
  }
}
