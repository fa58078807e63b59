import { join } from 'node:path';
import { demoApp, synthesize } from '../src/synthesis';
import { temporaryFolder } from './temporary-folder';

const folder = temporaryFolder();
const root = join(__dirname, '..', '..');

test('an app that fails is told with its reason', async () => {
  const synthesis = demoApp(root, 'ftp://nowhere', join(folder.path, 'failed'));
  await expect(synthesize(synthesis)).rejects.toThrow(
    /^cdk8s synth failed for the demo: Error: demo\/dragonfly\/supernode: registries.*ftp:\/\/nowhere/,
  );
}, 60_000);
