/** An original client that has registered. */
export interface ClassicMember {
  readonly cid: string;
  readonly ip: string;
  /** Its peer server; 0: it has none. */
  readonly port: number;
  /** The file on its peer server. */
  readonly path: string;
  /** The classic task id under which it came: other URLs may mean the same blob. */
  readonly taskId: string;
  /** The framed piece size in bytes that it was told. */
  readonly pieceSize: number;
  /** The MD5 of the whole that its user expects, in lower case; empty: none. */
  readonly md5: string;
}
