/**
 * The simulated Atlassian's signatures, compared with the protocol's examples and with Atlassian's
 * own library.
 */
import { createHash } from 'node:crypto';
import { createQueryStringHash, fromMethodAndUrl } from 'atlassian-jwt';
import { describe, expect, test } from 'vitest';
import { qshOf } from '../../lib/atlassian-tokens.ts';
import { CANONICAL_PATHS, CANONICAL_QUERIES } from '../support/canonical-queries.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const qsh = (method: string, url: string, baseUrl = 'https://us.app.example') =>
  qshOf({ method, url, baseUrl });

describe('the hash of a request', () => {
  test.each([
    ['POST', 'https://us.app.example/dare-migration/schedule', 'POST&/dare-migration/schedule&'],
    [
      'get',
      'https://us.app.example/dare-migration/status?migrationId=57500',
      'GET&/dare-migration/status&migrationId=57500',
    ],
    [
      'GET',
      'https://us.app.example/a?z=1&a=b+c&jwt=x&a=*&%C3%A4=%26',
      'GET&/a&%C3%A4=%26&a=%2A,b%20c&z=1',
    ],
    ['GET', 'https://us.app.example/a?a=%C3%A9&a=~&~=1', 'GET&/a&a=~,%C3%A9&~=1'],
    ['GET', 'https://us.app.example/', 'GET&/&'],
    ['GET', 'https://us.app.example/a/', 'GET&/a&'],
    ['GET', 'https://us.app.example/a&b', 'GET&/a%26b&'],
  ])('%s %s is that of %s', (method, url, canonical) => {
    expect(qsh(method, url)).toBe(sha256(canonical));
  });

  test.each(CANONICAL_QUERIES)('is the one of Atlassian’s vectors: %s', (_, query, canonical) => {
    expect(qsh('GET', `https://us.app.example/test?${query}`)).toBe(
      sha256(`GET&/test&${canonical}`),
    );
  });

  test.each(CANONICAL_PATHS)(
    'is the one of Atlassian’s vectors: the path %s',
    (path, canonical) => {
      expect(qsh('GET', `https://us.app.example${path}?a=b`)).toBe(sha256(`GET&${canonical}&a=b`));
    },
  );

  test('leaves out the base URL’s own path, at a segment boundary only', () => {
    const base = 'https://app.example/app';
    expect(qsh('GET', `${base}/status`, base)).toBe(sha256('GET&/status&'));
    expect(qsh('GET', base, base)).toBe(sha256('GET&/&'));
    expect(qsh('GET', 'https://app.example/application', base)).toBe(sha256('GET&/application&'));
  });

  test('is the one that atlassian-jwt computes', () => {
    const url = 'https://us.app.example/dare-migration/status?migrationId=57500&x=%C3%A4%20%7E*';
    expect(qsh('GET', url)).toBe(
      createQueryStringHash(fromMethodAndUrl('GET', url), false, 'https://us.app.example'),
    );
  });
});
