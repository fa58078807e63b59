/** Result codes in the `code` member of a supernode's answers (Dragonfly 0.x protocol, 2.3). */
export const RESULT_CODE = {
  /** Registration, piece report or leave taken. */
  success: 200,
  /** The original Java supernode's answer to a wrong method. */
  notFound: 404,
  /** Something failed in the supernode. The original Go supernode also says so when its own download failed. */
  systemError: 500,
  /** A field is missing or malformed. */
  illegalParameter: 501,
  /** The original Go supernode does not know the client or the task. */
  targetNotFound: 502,
  /** The client has every piece. */
  peerFinish: 600,
  /** `data` lists the pieces to fetch now. */
  peerContinue: 601,
  /** Nothing to fetch yet: ask again. */
  peerWait: 602,
  /** Defined, sent by no original supernode: clients hang on it. */
  peerLimited: 603,
  /** The supernode's own download failed. */
  superFail: 604,
  /** The supernode does not know the client or the task. */
  unknownError: 605,
  /** The same task id with another URL. */
  taskConflict: 606,
  /** The supernode cannot reach the origin. */
  urlNotReachable: 607,
  /** The origin wants credentials; sent to a df-daemon only. */
  needAuth: 608,
  /** Another client is being checked for credentials: register again later. */
  waitAuth: 609,
  /** Defined, sent by no original supernode. */
  sourceError: 610,
  /** Go 0.4.3 instead of 200 for a piece report. */
  pieceReported: 611,
  /** Go 0.4.3 instead of 200 for a peer that leaves. */
  peerDown: 612,
} as const;

/** `status` in `GET /peer/task`: where the client stands (Dragonfly 0.x protocol, 2.3 and 2.4). */
export const CLIENT_STATUS = {
  /** First question after a registration. */
  start: 700,
  /** Every further question. */
  running: 701,
  /** The client ends; the original clients never send it. */
  finished: 702,
} as const;

/** `result` in `GET /peer/task`: what became of the piece named in the question (Dragonfly 0.x protocol, 2.3). */
export const CLIENT_RESULT = {
  fail: 500,
  success: 501,
  /** Nothing to report. */
  invalid: 502,
  /** The piece is in memory, not yet on disk. */
  semiSuccess: 503,
} as const;
