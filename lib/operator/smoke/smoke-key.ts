/**
 * The throw-away key of the smoke test. The command makes it; a stage that is given its public half
 * trusts it.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { smokeKidOf } from '../../../lambdas/adapters/tokens/smoke-key.ts';
import type { InstallKey } from '../../atlassian-tokens.ts';
import type { Operator } from '../operator.ts';
import { COMMAND } from '../terminal/command-name.ts';
import { Failure } from '../terminal/failure.ts';
import { printable } from '../terminal/print.ts';
import type { Verdict } from '../terminal/verdict.ts';

/** Writes a new private key, readable by its owner only, and says how a stage comes to trust it. */
export async function smokeKey(file: string): Promise<Verdict> {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
  await writeFile(file, pem, { mode: 0o600, flag: 'wx' }).catch((error: unknown) => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'an error';
    throw new Failure(
      code === 'EEXIST' ? `${file} is there already` : `${file} cannot be written: ${code}`,
    );
  });
  const publicKey = derOf(privateKey).toString('base64');
  const text = [
    `✓ the private key is in ${printable(file)}: keep it out of version control, and delete it when the stage goes`,
    '',
    'deploy the stage with',
    `  -c smokePublicKey=${publicKey}`,
  ].join('\n');
  return {
    report: { file, kid: kidOf(privateKey), smokePublicKey: publicKey },
    text,
    isFine: true,
  };
}

export async function smokeKeyIn(file: string): Promise<InstallKey> {
  try {
    const privateKey = createPrivateKey(await readFile(file));
    return { kid: kidOf(privateKey), privateKey };
  } catch {
    throw new Failure(`${file} holds no private key: ${COMMAND} smoke-key ${file} makes one`);
  }
}

/** A local host's key server takes any key at any time. */
export async function localSmokeKey({ localPorts }: Operator): Promise<InstallKey> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const kid = kidOf(privateKey);
  const response = await fetch(`http://127.0.0.1:${localPorts?.installKeys}/${kid}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/x-pem-file' },
    body: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  }).catch(() => undefined);
  if (!response?.ok) {
    throw new Failure(
      'the local host has no key server of its own: start it with SMOKE_PUBLIC_KEY, and say --key',
    );
  }
  return { kid, privateKey };
}

const derOf = (privateKey: KeyObject): Buffer =>
  createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
const kidOf = (privateKey: KeyObject): string => smokeKidOf(derOf(privateKey));
