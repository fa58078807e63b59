import { outwardFrom } from '../src';
import { selfSigned } from './certificate';
import { usePem } from './pem-files';

const { pem } = usePem();
const none = { originCa: [], originCert: [], originKey: [] };

describe('how origins are reached', () => {
  it('is told by flags for a host, a host and port, or all', () => {
    const { cert, key } = selfSigned(['a.test']);
    const [file, keyFile] = [pem(cert), pem(key)];
    const at = (url: string, values: object): boolean =>
      outwardFrom({ ...none, ...values }, {}).trust?.contextFor(new URL(url)) !== undefined;
    expect(at('https://b.test/', { originCa: [file] })).toBe(true);
    expect(at('https://b.test/', { originCa: [`a.test=${file}`] })).toBe(false);
    expect(at('https://a.test:5000/', { originCa: [`a.test=${file}`] })).toBe(true);
    expect(at('https://a.test:5000/', { originCa: [`a.test:5000=${file}`] })).toBe(true);
    expect(at('https://a.test/', { originCa: [`a.test:5000=${file}`] })).toBe(false);
    expect(at('http://a.test:80/', { originCa: [`a.test:80=${file}`] })).toBe(true);
    expect(at('https://[fd00::1]:5000/', { originCa: [`[fd00::1]:5000=${file}`] })).toBe(true);
    const own = { originCert: [`a.test=${file}`], originKey: [`a.test=${keyFile}`] };
    expect([at('https://a.test/', own), at('https://b.test/', own)]).toEqual([true, false]);
  });

  it.each([
    [{ originCert: ['/x.pem'] }, '--origin-cert must be HOST[:PORT]=FILE'],
    [{ originKey: ['a.test=/x'] }, '--origin-cert and --origin-key go together: give both for a.test'],
    [{ originCert: ['a.test=/x', 'a.test=/y'] }, '--origin-cert is given twice for a.test; give it once'],
    [{ originCa: ['a.test=/nowhere'] }, 'the certificate /nowhere cannot be used'],
  ])('is an error in %j', (values, message) => {
    expect(() => outwardFrom({ ...none, ...values }, {})).toThrow(message);
  });
});
