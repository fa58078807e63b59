import { Refusal } from './refusal';
import { describePosition } from './text-position';

/**
 * A file's bytes as text, without its byte order mark.
 *
 * @param title how messages name the file
 * @throws Refusal with line and column when they are not UTF-8
 */
export function decodeUtf8(title: string, bytes: Buffer): string {
  const text = bytes.toString('utf8');
  const again = Buffer.from(text, 'utf8');
  if (!again.equals(bytes)) {
    const wrong = bytes.findIndex((byte, index) => byte !== again[index]);
    const where = describePosition(bytes.subarray(0, wrong).toString('utf8'), wrong);
    throw new Refusal(`${title}, ${where}: not UTF-8; correct the file; nothing was changed`);
  }
  return text.replace(/^\uFEFF/, '');
}
