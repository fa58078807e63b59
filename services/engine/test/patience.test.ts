import { setTimeout as delay } from 'node:timers/promises';

import { Patience } from '../src/links/patience';

/** Keeps the event loop of this process from turning. */
function standStill(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

async function lostAfter(ms: number, meanwhile: (patience: Patience) => void): Promise<number> {
  const began = performance.now();
  return new Promise((resolve) => {
    meanwhile(new Patience(ms, () => resolve(performance.now() - began)));
  });
}

describe('patience', () => {
  it('is at its end after its time', async () => {
    await expect(lostAfter(80, () => undefined)).resolves.toBeGreaterThanOrEqual(79);
  });

  it('does not pass while this process stands still', async () => {
    const waited = await lostAfter(160, () => {
      setImmediate(() => standStill(400));
    });
    // One step of sixteen passes in the pause.
    expect(waited).toBeGreaterThanOrEqual(400 + 120);
  });

  it('begins anew when something is heard, and is never shorter than asked', async () => {
    let heard = 0;
    const began = performance.now();
    await lostAfter(160, (patience) => {
      setTimeout(() => {
        patience.renew();
        heard = performance.now();
      }, 90);
    });
    expect(heard).toBeGreaterThan(began);
    expect(performance.now() - heard).toBeGreaterThanOrEqual(159);
  });

  it('does not call when it was ended', async () => {
    const lost = jest.fn();
    new Patience(8, lost).end();
    await delay(40);
    expect(lost).not.toHaveBeenCalled();
  });
});
