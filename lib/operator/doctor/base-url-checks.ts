/**
 * Checks what answers at a realm's base URL. Beside an existing app a router answers there: it must
 * lead `/dare-migration` to this realm's stack, and the app's own descriptor must have our fields.
 */
import { connectDescriptor } from '../../../descriptor/connect.ts';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import type { Operator } from '../operator.ts';
import { lasting, printable } from '../terminal/print.ts';
import { bad, type Found, fine } from './check.ts';

type Watched = Pick<Operator, 'baseUrls' | 'clock' | 'realms' | 'residency' | 'stage'>;

/** Tokens allow a difference of a minute; half of it is left for the network. */
const MOST_SKEW_MS = 30_000;
const HTTP_TIMEOUT_MS = 5_000;
const HEALTH = '/dare-migration/health';

export async function fetched(url: string): Promise<Response | undefined> {
  return fetch(url, { signal: AbortSignal.timeout(HTTP_TIMEOUT_MS), redirect: 'error' }).catch(
    () => undefined,
  );
}

const NO_URL = bad(
  'its base URL is not known',
  'enter baseUrls, or a domain, in residency.config.ts, or say --domain',
);

interface HealthAnswer {
  readonly realm?: unknown;
  readonly stage?: unknown;
  /** Absent where an older version answers. */
  readonly realms?: unknown;
}

/**
 * Checks that this realm of this stage answers, that it knows the same realms as this command, and
 * that its clock agrees with this machine's.
 */
export async function health(operator: Watched, realm: Realm): Promise<Found> {
  const { baseUrls, clock, stage } = operator;
  const url = baseUrls[realm];
  if (url === undefined) return NO_URL;
  const begun = clock.now();
  const response = await fetched(`${url}${HEALTH}`);
  const took = clock.now() - begun;
  if (!response?.ok) {
    const what = response === undefined ? 'nothing answers' : `it answers ${response.status}`;
    return bad(
      `${what} at ${url}${HEALTH}`,
      'deploy the realm; beside an app, let its router send /dare-migration/* to the API of this realm, and take off a path of the base URL',
    );
  }
  const answer: unknown = await response.json().catch(() => undefined);
  const {
    realm: there,
    stage: theirs,
    realms: known,
  }: HealthAnswer = { ...(typeof answer === 'object' ? answer : {}) };
  if (there !== realm || theirs !== stage)
    return bad(
      typeof there === 'string' && typeof theirs === 'string'
        ? `at ${url}${HEALTH} realm ${printable(there, 20)} of stage ${printable(theirs, 20)} answers`
        : `at ${url}${HEALTH} another app answers`,
      `let the router send /dare-migration/*, /installed and /uninstalled of this URL to the API of realm ${realm} in stage ${stage}`,
    );
  const here = operator.realms.join(', ');
  if (Array.isArray(known) && known.join(', ') !== here)
    return bad(
      `it was deployed for the realms ${printable(known.join(', '), 60)}, and this command is about ${here}`,
      'deploy every realm with the same -c realms=…; or say --realms as they were deployed',
    );
  const skew = Math.abs(Date.parse(response.headers.get('date') ?? '') - (begun + took / 2));
  // The `Date` header has whole seconds.
  if (skew > MOST_SKEW_MS)
    return bad(
      `its clock and this machine's differ by ${lasting(skew / 1000)}`,
      'set the clock of this machine: tokens that it signs are refused',
    );
  return fine(`answers in ${lasting(took / 1000)}, clocks agree`);
}

/** The app may serve a descriptor of its own, so only the fields that a move needs are compared. */
export async function descriptor({ baseUrls, residency }: Watched, realm: Realm): Promise<Found> {
  const url = baseUrls[realm];
  if (url === undefined) return NO_URL;
  const at = `${url}/atlassian-connect.json`;
  const response = await fetched(at);
  if (!response?.ok) {
    if (response?.status === 404 && residency.app.forge !== undefined)
      return fine('no Connect descriptor is served: the Forge manifest says the URLs');
    return bad(
      `the descriptor is not served at ${at} (${response?.status ?? 'no answer'})`,
      'deploy again with baseUrls or a domain: it is made from them',
    );
  }
  const served: unknown = await response.json().catch(() => undefined);
  const wanted = fieldsOf(connectDescriptor(residency, baseUrls));
  const found = fieldsOf(served);
  const fields = [...new Set([...Object.keys(wanted), ...Object.keys(found)])];
  const wrong = fields.filter((field) => found[field] !== wanted[field]);
  if (wrong.length === 0) return fine('the descriptor has what this configuration says');
  const [field = ''] = wrong;
  return bad(
    `the descriptor at ${at} differs in ${wrong.join(', ')}: ${field} is ${printable(found[field] ?? 'missing', 60)}, not ${printable(wanted[field] ?? 'missing', 60)}`,
    'deploy the realm again; beside an app, take these fields over from descriptor/atlassian-connect.json; then publish the descriptor',
  );
}

/**
 * The fields that Atlassian needs for a move, each as JSON. A trailing slash of a URL does not
 * count.
 */
function fieldsOf(descriptor: unknown): Readonly<Record<string, string | undefined>> {
  const of = (value: unknown, ...path: readonly string[]): unknown =>
    path.reduce<unknown>(
      (inner, name) =>
        typeof inner === 'object' && inner !== null
          ? Object.entries(inner).find(([key]) => key === name)?.[1]
          : undefined,
      value,
    );
  const regional = of(descriptor, 'regionBaseUrls');
  const names =
    typeof regional === 'object' && regional !== null ? Object.keys(regional).sort() : [];
  const all: readonly (readonly [string, unknown])[] = [
    ['key', of(descriptor, 'key')],
    ['baseUrl', withoutSlash(of(descriptor, 'baseUrl'))],
    ...names.map((name) => [`regionBaseUrls.${name}`, withoutSlash(of(regional, name))] as const),
    ['authentication.type', of(descriptor, 'authentication', 'type')],
    ...['installed', 'uninstalled', 'dare-migration'].map(
      (hook) => [`lifecycle.${hook}`, of(descriptor, 'lifecycle', hook)] as const,
    ),
    [
      'dataResidency.maxMigrationDurationHours',
      of(descriptor, 'dataResidency', 'maxMigrationDurationHours'),
    ],
  ];
  return Object.fromEntries(all.map(([name, value]) => [name, JSON.stringify(value)]));
}

const withoutSlash = (value: unknown): unknown =>
  typeof value === 'string' ? value.replace(/\/+$/, '') : value;
