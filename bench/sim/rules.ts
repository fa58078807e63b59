/** What the nodes do as the real ones: the numbers of the daemons' downloads and of the supernode's news. Times are in milliseconds. */
export const RULES = {
  /** Blocks of one client that a daemon, and the supernode, serve at a time. */
  peerEach: 4,
  supernodeEach: 16,
  /** A neighbour whose turn has not come within this time is told to ask others, and does not ask that one for so long. */
  daemonWaits: 50,
  pause: 250,
  patience: 2000,
  patienceFactor: 6,
  late: 1000,
  lateFactor: 4,
  /** How often it is looked whether patience has ended. */
  tick: 100,
  /** A neighbour that was late so often in a row is dropped. */
  maxFailures: 2,
  /** How long news are gathered. */
  peerGather: 3,
  supernodeGather: 5,
  /** Who has no share hears of the supernode's blocks later, and that is gathered anew, or, with many, written when its session has its turn. */
  othersGather: 150,
  sessionGather: 5,
  sessionGatherAMember: 0.07,
  sessionsGathered: 1000,
  sessionTurn: 150,
  sessionTurnAMember: 1 / 7,
  longestSessionTurn: 400,
  /** As `Overdue` of the picker has steps. */
  overdueStep: 100,
  overdueStepFactor: 3,
  /** A daemon that is gone is noticed by its neighbours when their connections break, and by the supernode when it has opened no other session for so long. */
  noticedAfter: 5000,
  takenOverAfter: 1000,
} as const;
