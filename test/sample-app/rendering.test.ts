/** How the sample app makes a document of a template. */
import { describe, expect, test } from 'vitest';
import { askedIn, rendered } from '../../lambdas/sample-app/rendering.ts';

const document = (template: object, body: object) => rendered(template, askedIn(body));

describe('a document', () => {
  test('has the title, and values where the template names them', () => {
    const template = { content: '{{who}} met {{who}}, {{when}}, {{list}}, {{none}}, {{toString}}' };
    const values = { who: 'Ada', when: 3, list: ['a', null] };
    expect(document(template, { title: 'Minutes', values })).toBe(
      '# Minutes\n\nAda met Ada, 3, ["a",null], {{none}}, {{toString}}\n',
    );
  });

  test('takes a value as it is, also where it looks like a pattern', () => {
    expect(document({ content: '{{a}}' }, { values: { a: '$& {{a}}' } })).toBe('$& {{a}}\n');
  });

  test('shows a template without a text as it is', () => {
    expect(document({ pages: [1] }, { title: 7, values: 'none' })).toBe(
      '{\n  "pages": [\n    1\n  ]\n}\n',
    );
  });
});
