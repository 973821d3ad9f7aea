/** What the claims of a Forge invocation token say of the site that an installation is on. */
import { defined } from '../defined.ts';
import { hostOf, isCloudId, isProduct } from './identity.ts';

type Json = Readonly<Record<string, unknown>>;

/** What is missing, malformed or ambiguous is left out. */
export interface ForgeSite {
  /** In lower case. */
  readonly cloudId?: string;
  readonly product?: string;
  readonly host?: string;
  /** The workspace of Bitbucket, which has no sites. */
  readonly workspaceId?: string;
}

/** `claims` were verified: `app.installation.contexts` and `context` are read. */
export function siteIn(claims: Json): ForgeSite {
  const app = objectOf(claims['app']);
  const context = objectOf(claims['context']);
  const contexts = listOf(objectOf(app['installation'])['contexts']).map(objectOf);
  const cloudId =
    onlyOne(contexts.map((each) => each['cloudId']).filter(isCloudId)) ?? context['cloudId'];
  const product = onlyOne(contexts.map(productOf).filter(isProduct));
  const workspaceId = [...contexts, context].map((each) => each['workspaceId']).find(isWorkspaceId);
  // All workspaces of Bitbucket have one host, so it does not tell them apart.
  const host = workspaceId === undefined ? hostOf(context['siteUrl']) : undefined;
  return {
    ...(isCloudId(cloudId) ? { cloudId: cloudId.toLowerCase() } : {}),
    ...defined({ product, host, workspaceId }),
  };
}

/**
 * `confluence`, by name or by the address of its API (`https://api.atlassian.com/ex/confluence/…`).
 */
function productOf({ name, apiBaseUrl }: Json): string | undefined {
  const fromUrl =
    typeof apiBaseUrl === 'string' ? /\/ex\/([a-z-]+)\//.exec(apiBaseUrl)?.[1] : undefined;
  const said = fromUrl ?? (typeof name === 'string' ? name.toLowerCase() : undefined);
  return isProduct(said) ? said : undefined;
}

/** An installation in several products or sites has no single value to be matched by. */
function onlyOne(values: readonly string[]): string | undefined {
  const different = new Set(values);
  return different.size === 1 ? values[0] : undefined;
}

export const objectOf = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** A UUID of Bitbucket, in braces or behind an ARI. */
const isWorkspaceId = (value: unknown): value is string =>
  typeof value === 'string' && /^[\w:/{}-]{8,128}$/.test(value);
