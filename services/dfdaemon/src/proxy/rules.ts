import { UsageError } from '@cdk8s-dragonfly/command';
import { RE2JS, RE2JSException } from 're2js';

/** A regular expression of the configuration file: it matches somewhere in a text, unless it says where. */
export class Pattern {
  private constructor(
    readonly source: string,
    private readonly compiled: RE2JS,
  ) {}

  /**
   * @param source in the syntax of RE2, as the originals': no text takes longer than its length.
   * @param where which setting it is, for the message.
   * @throws UsageError
   */
  static read(source: string, where: string): Pattern {
    if (source === '') throw new UsageError(`${where} must be a regular expression, not ""; .* matches everything`);
    try {
      return new Pattern(source, RE2JS.compile(source));
    } catch (error) {
      if (!(error instanceof RE2JSException)) throw error;
      throw new UsageError(
        `${where} must be a regular expression (RE2), not ${JSON.stringify(source)}: ${error.message}`,
      );
    }
  }

  matches(text: string): boolean {
    return this.compiled.matcher(text).find();
  }
}

/** An entry of `proxies` (Dragonfly 0.x protocol, 7.3). */
export interface ProxyRule {
  /** Matches whole URLs. */
  readonly pattern: Pattern;
  /** Ask by https where the client asks by http. */
  readonly useHttps: boolean;
  /** Not through the swarm. */
  readonly direct: boolean;
}

/** What the rules say of a request. */
export interface Decision {
  /** Whom to ask. */
  readonly url: URL;
  /** Whether a blob comes through the swarm. */
  readonly throughSwarm: boolean;
}

/** The first rule that matches decides; without one a request goes straight to where it is meant for. */
export function decide(rules: readonly ProxyRule[], asked: URL): Decision {
  const rule = rules.find(({ pattern }) => pattern.matches(asked.href));
  if (rule === undefined) return { url: asked, throughSwarm: false };
  const url = new URL(asked);
  if (rule.useHttps) url.protocol = 'https:';
  return { url, throughSwarm: !rule.direct };
}
