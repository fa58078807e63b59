/** Where an origin's events go. Fields hold no credentials and no queries of URLs. */
export interface OriginLog {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** A log that takes fields first, as pino does. */
export interface FieldsFirstLog {
  debug(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** An origin's events in a log that takes fields first. */
export function originLog(log: FieldsFirstLog): OriginLog {
  return {
    debug: (message, fields) => log.debug(fields ?? {}, message),
    warn: (message, fields) => log.warn(fields ?? {}, message),
  };
}
