/** Where preheats are ordered and looked at (Dragonfly 0.x protocol, 8). */
export const PREHEATS_PATH = '/preheats';
