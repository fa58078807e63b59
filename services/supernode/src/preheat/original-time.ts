const GMT8 = 8 * 60 * 60 * 1000;

/** A time as the original writes it: `yyyy-MM-dd HH:mm:ss` in GMT+8 (Dragonfly 0.x protocol, 8). */
export function originalTime(epochMs: number): string {
  return new Date(epochMs + GMT8).toISOString().slice(0, 19).replace('T', ' ');
}
