import { OriginRules } from './origin-rules';

/**
 * Which token servers may be asked. A registry names them in its answers, so that they are no more trusted than where a redirect leads:
 * public https hosts, and what the list names; never this cluster's inside.
 */
export class TokenServerRules extends OriginRules {
  override checkUrl(url: URL): void {
    super.checkUrl(url, 'redirect');
  }

  override checkAddress(url: URL, address: string): void {
    super.checkAddress(url, address, 'redirect');
  }
}
