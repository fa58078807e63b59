import { unifiedDiff } from '../src/unified-diff';

test.each<[string, string | undefined, string | undefined, readonly string[]]>([
  ['equal', 'a\n', 'a\n', []],
  ['new', undefined, 'a\nb\n', ['--- /dev/null', '+++ f', '@@ -0,0 +1,2 @@', '+a', '+b']],
  ['gone', 'a\n', undefined, ['--- f', '+++ /dev/null', '@@ -1 +0,0 @@', '-a']],
  [
    'in the middle',
    '1\n2\n3\n4\n5\n6\n7\n8\n9\n',
    '1\n2\n3\n4\nx\n6\n7\n8\n9\n',
    ['--- f', '+++ f', '@@ -2,7 +2,7 @@', ' 2', ' 3', ' 4', '-5', '+x', ' 6', ' 7', ' 8'],
  ],
  [
    'without a final newline',
    'a',
    'a\n',
    ['--- f', '+++ f', '@@ -1 +1 @@', '-a', '\\ No newline at end of file', '+a'],
  ],
  ['added at the end', 'a\n', 'a\nb\n', ['--- f', '+++ f', '@@ -1 +1,2 @@', ' a', '+b']],
])('%s', (_, before, after, lines) => {
  expect(unifiedDiff('f', before, after)).toBe(lines.join('\n'));
});
