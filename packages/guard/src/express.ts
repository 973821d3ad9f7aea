/** The guard as a middleware of Express, or of whatever else calls `(request, response, next)`. */
import { answerTo, FAULT_ANSWER } from './answers.ts';
import { isResidencyFault, type ResidencyFault } from './fault.ts';
import type { Access, Answer, ResidencyGuard, Verdict, Whose } from './types.ts';

/** What is used of a request; `context` is what atlassian-connect-express leaves there. */
export interface GuardedRequest {
  readonly method?: string | undefined;
  readonly context?: unknown;
}

export interface GuardedResponse {
  statusCode: number;
  /** Express's `locals`; made where there are none. */
  locals?: Record<string, unknown>;
  setHeader(name: string, value: string): unknown;
  end(body: string): unknown;
}

export interface MiddlewareOptions<Request extends GuardedRequest> {
  /**
   * Whose the request is, from a token that was verified before; `undefined` is answered 401.
   * Unless said otherwise, what `authenticate()` or `authenticateForge()` of
   * atlassian-connect-express left in `request.context`.
   */
  readonly whose?: (request: Request) => Whose | undefined;
  /**
   * GET, HEAD and OPTIONS read, all else writes, unless said otherwise: say it where a GET writes.
   */
  readonly access?: (request: Request) => Access;
  /** Called when the table cannot be read; the request is answered 503. */
  readonly onFault?: (error: ResidencyFault, request: Request) => void;
}

/**
 * Lets through what the realm serves, with the verdict in `response.locals.residency`; answers all
 * else itself: 503 with `Retry-After`, 421 with realm and base URL, 401. However often it stands in
 * the way of one request, it reads once. Put it behind what verifies tokens, and before everything
 * that touches a tenant's data.
 */
export function residencyMiddleware<Request extends GuardedRequest = GuardedRequest>(
  guard: ResidencyGuard,
  { whose = whoseInContext, access = byMethod, onFault }: MiddlewareOptions<Request> = {},
): (request: Request, response: GuardedResponse, next: (error?: unknown) => void) => void {
  async function verdictOf(request: Request): Promise<Verdict | undefined> {
    const named = whose(request);
    return named === undefined
      ? undefined
      : (await lookOnce(guard, request, named))(access(request));
  }

  return (request, response, next) => {
    verdictOf(request).then(
      (verdict) => {
        const answer = answerTo(verdict ?? NO_TENANT);
        if (answer !== undefined) return send(response, answer);
        response.locals = Object.assign(response.locals ?? {}, { residency: verdict });
        next();
      },
      (error: unknown) => {
        if (!isResidencyFault(error)) return next(error);
        onFault?.(error, request);
        send(response, FAULT_ANSWER);
      },
    );
  };
}

/** Per request and guard: the lookups that were begun, by whose they are. */
const looks = new WeakMap<object, Map<ResidencyGuard, Map<string, Look>>>();
type Look = ReturnType<ResidencyGuard['look']>;

function lookOnce(guard: ResidencyGuard, request: object, whose: Whose): Look {
  const byGuard = looks.get(request) ?? new Map<ResidencyGuard, Map<string, Look>>();
  const byName = byGuard.get(guard) ?? new Map<string, Look>();
  looks.set(request, byGuard.set(guard, byName));
  const key = JSON.stringify(whose);
  const look = byName.get(key) ?? guard.look(whose);
  byName.set(key, look);
  return look;
}

const NO_TENANT: Verdict = { kind: 'unknown', tenant: undefined, state: undefined };

function whoseInContext({ context }: GuardedRequest): Whose | undefined {
  if (typeof context !== 'object' || context === null) return undefined;
  if ('clientKey' in context && typeof context.clientKey === 'string') return context.clientKey;
  const forge = 'forge' in context ? context.forge : undefined;
  return typeof forge === 'object' && forge !== null ? { forge } : undefined;
}

const READING = ['GET', 'HEAD', 'OPTIONS'];
const byMethod = ({ method = '' }: GuardedRequest): Access =>
  READING.includes(method) ? 'read' : 'write';

function send(response: GuardedResponse, { status, headers, body }: Answer): void {
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(body));
}
