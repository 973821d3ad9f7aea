/** The shapes in which AWS's services ask, answer and refuse. */

export interface Asked {
  readonly service: string;
  readonly region: string;
  readonly operation: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** The body of the query protocol. */
  readonly form: URLSearchParams;
  readonly body: string;
  readonly account: string;
}

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export class AwsError extends Error {
  readonly code: string;
  readonly status: number;
  constructor(code: string, status: number, message: string) {
    super(message);
    this.code = code;
    this.status = status;
  }
  get asJson() {
    return { __type: this.code, message: this.message };
  }
}

export const jsonOf = (value: unknown, status = 200): Answer => ({
  status,
  type: 'application/x-amz-json-1.1',
  body: JSON.stringify(value),
  // REST with JSON reads these headers; the other protocols ignore them.
  ...(status === 200 ? {} : { headers: { 'x-amzn-errortype': String(Object(value).__type) } }),
});

export const xmlOf = (body: string, status = 200): Answer => ({
  status,
  type: 'text/xml',
  body: `<?xml version="1.0"?>\n${body}`,
});

/** The query protocol puts the result into an element of the operation's name. */
export const queryAnswer = (operation: string, result: string): Answer =>
  xmlOf(
    `<${operation}Response><${operation}Result>${result}</${operation}Result><ResponseMetadata><RequestId>stub</RequestId></ResponseMetadata></${operation}Response>`,
  );

export function xmlError({ code, status, message }: AwsError, service: string): Answer {
  // IAM and its like call it without the last word.
  const name = code.replace(/^(AccessDenied)Exception$/, '$1');
  const inner = `<Error><Type>Sender</Type><Code>${name}</Code><Message>${escaped(message)}</Message></Error>`;
  return xmlOf(
    service === 'route53'
      ? `<ErrorResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/">${inner}<RequestId>stub</RequestId></ErrorResponse>`
      : `<ErrorResponse>${inner}<RequestId>stub</RequestId></ErrorResponse>`,
    status,
  );
}

export const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** Elements of one name, each with such a content. */
export const elements = (name: string, contents: readonly string[]): string =>
  contents.map((content) => `<${name}>${content}</${name}>`).join('');

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

export function inputOf({ body }: Asked): Readonly<Record<string, unknown>> {
  const input: unknown = JSON.parse(body || '{}');
  return isRecord(input) ? input : {};
}
