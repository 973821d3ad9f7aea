/**
 * KMS on one HTTP port, as far as receipts need it: one signing key per alias and region, which
 * signs and gives its public half. With a data directory the keys outlive the host; else receipts
 * of an earlier host cannot be verified.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { awsRefusal, listenOn, localServer, stop, textOf } from './http.ts';

export interface KeyStoreOptions {
  readonly port?: number;
  readonly dataDir?: string;
  readonly account: string;
  /** The aliases that exist, by region. */
  readonly aliases: readonly { readonly region: string; readonly alias: string }[];
}

export interface KeyStore {
  readonly url: string;
  close(): Promise<void>;
}

const MOST_BYTES = 64 * 1024;
const TYPES = ['application/x-amz-json-1.1', 'application/x-amz-json-1.0', 'application/json'];
const ALGORITHM = 'ECDSA_SHA_256';
const CURVE = 'prime256v1';

export async function startKeyStore(options: KeyStoreOptions): Promise<KeyStore> {
  const keys = new Map(
    options.aliases.map(({ region, alias }) => [
      `${region} ${alias}`,
      keyOf(options.dataDir, `${region}-${alias.replace(/\W/g, '-')}`),
    ]),
  );

  const server = localServer(
    async (request, response) => {
      response.setHeader('content-type', 'application/x-amz-json-1.1');
      const operation = String(request.headers['x-amz-target']).replace('TrentService.', '');
      const asked = fieldsOf(await textOf(request, MOST_BYTES));
      const region = regionOf(request.headers.authorization);
      const alias = String(asked['KeyId']);
      const key = keys.get(`${region} ${alias}`);
      if (key === undefined) {
        response.statusCode = 400;
        response.end(
          JSON.stringify({ __type: 'NotFoundException', message: `${alias} is not found` }),
        );
        return;
      }
      const KeyId = `arn:aws:kms:${region}:${options.account}:${alias.replace('alias/', 'key/')}`;
      const said = answer(operation, asked, key);
      response.statusCode = said === undefined ? 400 : 200;
      response.end(
        JSON.stringify(
          said === undefined
            ? {
                __type: 'ValidationException',
                message: `the local host does not answer this ${operation}`,
              }
            : { KeyId, ...said },
        ),
      );
    },
    { types: TYPES, say: awsRefusal('SerializationException') },
  );
  const port = await listenOn(server, options.port ?? 0);
  return { url: `http://127.0.0.1:${port}`, close: () => stop(server) };
}

function answer(operation: string, asked: Readonly<Record<string, unknown>>, key: KeyObject) {
  if (operation === 'GetPublicKey') {
    const PublicKey = createPublicKey(key)
      .export({ type: 'spki', format: 'der' })
      .toString('base64');
    return {
      PublicKey,
      KeyUsage: 'SIGN_VERIFY',
      KeySpec: 'ECC_NIST_P256',
      SigningAlgorithms: [ALGORITHM],
    };
  }
  const isOurs = asked['MessageType'] === 'RAW' && asked['SigningAlgorithm'] === ALGORITHM;
  if (operation !== 'Sign' || !isOurs) return undefined;
  const message = Buffer.from(String(asked['Message']), 'base64');
  return {
    Signature: sign('sha256', message, key).toString('base64'),
    SigningAlgorithm: ALGORITHM,
  };
}

function keyOf(dataDir: string | undefined, name: string): KeyObject {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: CURVE });
  if (dataDir === undefined) return privateKey;
  const folder = join(dataDir, 'keys');
  const file = join(folder, `${name}.pem`);
  mkdirSync(folder, { recursive: true });
  try {
    // Writes the file only where there is none, and whole or not at all.
    writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), {
      flag: 'wx',
      mode: 0o600,
    });
    return privateKey;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    return createPrivateKey(readFileSync(file));
  }
}

/**
 * The region in the scope of the signature: `AWS4-HMAC-SHA256
 * Credential=local/20261128/eu-central-1/kms/aws4_request, …`.
 */
const regionOf = (authorization: string | undefined): string =>
  /Credential=[^/]+\/\d+\/([^/]+)\//.exec(authorization ?? '')?.[1] ?? '';

function fieldsOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {};
  } catch {
    return {};
  }
}
