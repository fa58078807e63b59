import type { IdleSetting } from './idle-settings';

/** Dragonfly 1.0 writes a supernode as `HOST[:PORT]=WEIGHT`, and asks one of weight 2 twice as often as one of 1. */
const WEIGHT = /=\d+$/;

/** The address of a supernode without the weight behind it. */
export function withoutWeight(text: string): string {
  return text.replace(WEIGHT, '');
}

/** The weights in texts that name supernodes, each text one or several with commas: for a word to the user. */
export function idleWeights(texts: readonly string[], where: string): readonly IdleSetting[] {
  const weights = texts.flatMap((text) => text.split(',')).map((text) => WEIGHT.exec(text.trim())?.[0]);
  const given = [...new Set(weights.filter((weight) => weight !== undefined))];
  if (given.length === 0) return [];
  return [
    {
      where: `the weight ${given.join(', ')} in ${where}`,
      why: 'the first supernode that answers is asked, in the order in which they stand',
    },
  ];
}
