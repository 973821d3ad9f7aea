/**
 * Queries and their canonical form, as the interoperability vectors of Atlassian's libraries have
 * them. Our verification and the simulated Atlassian are both tested with them.
 */
const REFERRER =
  'http%3A%2F%2Ffrom.net%2Fp%3Fx%3DA%2B%252B%2BB%26y%3D%2524-_.%252B%2521*%2527%2528%2529%252C';
const SEARCH_LINK =
  'http%3A%2F%2Fion%3A2990%2Fjira%2Fsecure%2FIssueNavigator.jspa%3Freset%3Dtrue%26jqlQuery%3Dissuetype%2B%253D%2BBug';

/** For the path `/test`: what it shows, the raw query, its canonical form. */
export const CANONICAL_QUERIES: readonly (readonly [string, string, string])[] = [
  ['one parameter', 'param=value', 'param=value'],
  ['no parameter', '', ''],
  ['spaces', 'param=some+spaces+in+this+parameter', 'param=some%20spaces%20in%20this%20parameter'],
  ['an asterisk', 'query=connect*', 'query=connect%2A'],
  [
    'letters beyond ASCII',
    'director=%E5%AE%AE%E5%B4%8E+%E9%A7%BF',
    'director=%E5%AE%AE%E5%B4%8E%20%E9%A7%BF',
  ],
  [
    'escapes in small letters',
    'director=%e5%ae%ae%e5%b4%8e%20%e9%a7%bf',
    'director=%E5%AE%AE%E5%B4%8E%20%E9%A7%BF',
  ],
  ['commas within a value', 'ids=10%2C2%2C20%2C1', 'ids=10%2C2%2C20%2C1'],
  [
    'commas within repeated values',
    'tuples=1%2C2%2C3&tuples=6%2C5%2C4&tuples=7%2C9%2C8',
    'tuples=1%2C2%2C3,6%2C5%2C4,7%2C9%2C8',
  ],
  ['a plus', 'title=1+%2B+1+equals+3', 'title=1%20%2B%201%20equals%203'],
  ['a JSON object', 'json=%7B%22key%22%3A%22value%22%7D', 'json=%7B%22key%22%3A%22value%22%7D'],
  ['a JSON list', 'json=%5B%22val1%22%2C%22val2%22%5D', 'json=%5B%22val1%22%2C%22val2%22%5D'],
  ['single quotes', 'quote=%27quoted%27', 'quote=%27quoted%27'],
  ['round brackets', 'param=%28%29', 'param=%28%29'],
  ['a tilde', 'eta=in+%7E3+days', 'eta=in%20~3%20days'],
  [
    'what RFC 1738 calls unsafe',
    'rfc=+%3C%3E%22%23%25%7B%7D%7C%5C%5E%7E%5B%5D%60',
    'rfc=%20%3C%3E%22%23%25%7B%7D%7C%5C%5E~%5B%5D%60',
  ],
  ['what RFC 1738 reserves', 'rfc=%3B%2F%3F%3A%40%3D%26', 'rfc=%3B%2F%3F%3A%40%3D%26'],
  [
    'what RFC 1738 calls special',
    'rfc=%24-_.%2B%21*%27%28%29%2C',
    'rfc=%24-_.%2B%21%2A%27%28%29%2C',
  ],
  ['what RFC 3986 does not reserve', 'rfc=-._%7E', 'rfc=-._~'],
  ['the general delimiters of RFC 3986', 'rfc=%3A%2F%3F%23%5B%5D%40', 'rfc=%3A%2F%3F%23%5B%5D%40'],
  [
    'the other delimiters of RFC 3986',
    'rfc=%21%24%26%27%28%29*%2B%2C%3B%3D',
    'rfc=%21%24%26%27%28%29%2A%2B%2C%3B%3D',
  ],
  ['an empty value', 'notmuch=', 'notmuch='],
  [
    'an address that was encoded before',
    `referrer=${REFERRER}`,
    `referrer=${REFERRER.replace('*', '%2A')}`,
  ],
  ['repeated values', 'ids=-1&ids=1&ids=10&ids=2&ids=20', 'ids=-1,1,10,2,20'],
  [
    'repeated values that sort before they are encoded',
    'ids=.1&ids=.2&ids=%3A1&ids=%3A2',
    'ids=.1,.2,%3A1,%3A2',
  ],
  [
    'repeated values beyond ASCII',
    'chars=%E5%AE%AE&chars=%E5%B4%8E&chars=%E9%A7%BF',
    'chars=%E5%AE%AE,%E5%B4%8E,%E9%A7%BF',
  ],
  ['repeated values, one of them empty', 'c=&c=+&c=%2520&c=%2B', 'c=,%20,%2520,%2B'],
  ['a name that RFC 1738 calls unsafe', '%231=value', '%231=value'],
  ['a name that RFC 1738 reserves', '%3A1=value', '%3A1=value'],
  ['a name that RFC 1738 calls special', '%241=value', '%241=value'],
  ['two parameters', 'a=x&b=y', 'a=x&b=y'],
  ['two repeated parameters', 'a=x1&a=x10&b=y1&b=y10', 'a=x1,x10&b=y1,y10'],
  [
    'two repeated parameters with spaces',
    'a=another+one&a=one+string&b=and+yet+more&b=more+here',
    'a=another%20one,one%20string&b=and%20yet%20more,more%20here',
  ],
  [
    'two repeated parameters with commas',
    'a=1%2C2%2C3&a=4%2C5%2C6&b=a%2Cb%2Cc&b=d%2Ce%2Cf',
    'a=1%2C2%2C3,4%2C5%2C6&b=a%2Cb%2Cc,d%2Ce%2Cf',
  ],
  ['names that are prefixes of others', 'a10=1&a1=2&b1=3&b10=4', 'a1=2&a10=1&b1=3&b10=4'],
  ['names in capitals', 'A=A&a=a&b=b&B=B', 'A=A&B=B&a=a&b=b'],
  [
    'a page of the product',
    `link=${SEARCH_LINK}&startIssue=0&totalIssues=2&endIssue=2&issues=issues%3DTEST-2%2CTEST-1&tz=Australia%2FSydney&loc=en-US&user_id=admin&user_key=admin&xdm_e=http%3A%2F%2Fion.local%3A2990&xdm_c=channel-acmodule-1564427223927602208&xdm_p=1&cp=jira&lic=none`,
    `cp=jira&endIssue=2&issues=issues%3DTEST-2%2CTEST-1&lic=none&link=${SEARCH_LINK}&loc=en-US&startIssue=0&totalIssues=2&tz=Australia%2FSydney&user_id=admin&user_key=admin&xdm_c=channel-acmodule-1564427223927602208&xdm_e=http%3A%2F%2Fion.local%3A2990&xdm_p=1`,
  ],
];

/**
 * Paths and their canonical form. The older vectors leave `&` bare; newer ones escape it, as the
 * libraries do.
 */
export const CANONICAL_PATHS: readonly (readonly [string, string])[] = [
  ['/test', '/test'],
  ['/endsWithDelimiter/', '/endsWithDelimiter'],
  ['/path-._~', '/path-._~'],
  ["/path!$&'()*+,;=", "/path!$%26'()*+,;="],
];
