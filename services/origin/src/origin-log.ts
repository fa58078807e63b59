/** Where an origin's events go. Fields hold no credentials and no queries of URLs. */
export interface OriginLog {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
}
