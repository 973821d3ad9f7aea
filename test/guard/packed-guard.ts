/**
 * The guard as vendors get it: packed, installed from the tarball into a folder of its own, and run
 * there.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const ROOT = join(import.meta.dirname, '../..');
const run = promisify(execFile);

/** For apps that read the embedded DynamoDB at `url`. */
export const awsEnv = (url: string) => ({
  ...process.env,
  AWS_ENDPOINT_URL_DYNAMODB: url,
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
});

/**
 * A vendor's folder with the package in it, installed without a network, and the files of the
 * package. Express and the SDK are links to ours.
 */
export async function installPacked() {
  const folder = await mkdtemp(join(tmpdir(), 'vendor-'));
  const packed = await run('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: join(ROOT, 'packages/guard'),
  });
  const [{ filename, files }] = JSON.parse(packed.stdout);
  await writeFile(join(folder, 'package.json'), '{"private":true}');
  const tarball = `./${filename}`;
  await run(
    'npm',
    ['install', '--offline', '--ignore-scripts', '--legacy-peer-deps', '--no-audit', tarball],
    { cwd: folder },
  );
  const modules = join(folder, 'node_modules');
  await mkdir(join(modules, '@types'), { recursive: true });
  for (const name of ['express', '@aws-sdk', '@smithy', '@types/node', 'undici-types'])
    await symlink(join(ROOT, 'node_modules', name), join(modules, name));
  await cp(join(import.meta.dirname, 'apps'), folder, { recursive: true });
  return { folder, files: files.map(({ path }: { path: string }) => path) as readonly string[] };
}

/**
 * Starts `file` in the folder, and returns the line of JSON that it prints. Disposing ends the
 * process.
 */
export async function startApp(folder: string, file: string, env: NodeJS.ProcessEnv) {
  const child = spawn(process.execPath, [file], { cwd: folder, env });
  const complaints: string[] = [];
  child.stderr.on('data', (chunk) => complaints.push(String(chunk)));
  const said = new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).once('line', resolve);
    child.once('exit', (code) => reject(new Error(`${file} ended (${code}): ${complaints}`)));
  });
  const ports: Readonly<Record<string, number>> = JSON.parse(await said);
  return {
    ports,
    complaints,
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit');
      child.kill();
      await ended;
    },
  };
}
