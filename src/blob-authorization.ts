/** Who says whether a client of a df-daemon may have a blob that is on the node already. */
export enum BlobAuthorization {
  /** Its registry: the client needs the same rights as without us. */
  ORIGIN = 'origin',
  /** Nobody: every pod of the node may have it. */
  NONE = 'none',
}
