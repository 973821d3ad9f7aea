/** Keeps the bytes of objects and parts: in memory, or a file for each in a folder. */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Body } from './model.ts';

export interface BodyStore {
  /** Not yet in use: `use` has to follow. */
  add(bytes: Uint8Array): Promise<Body>;
  read(bodies: readonly Body[]): Promise<Buffer>;
  /** Copies share bodies: each use counts. */
  use(bodies: readonly Body[]): void;
  /** Removes what is not used any more. */
  leave(bodies: readonly Body[]): Promise<void>;
  /** Removes what a call that ended early has left behind. */
  removeUnused(): Promise<void>;
}

export async function bodyStore(folder: string | undefined): Promise<BodyStore> {
  const uses = new Map<string, number>();
  const inMemory = new Map<string, Uint8Array>();
  if (folder !== undefined) await mkdir(folder, { recursive: true });

  const fileOf = (id: string) => join(folder ?? '', id);
  async function remove(id: string): Promise<void> {
    inMemory.delete(id);
    if (folder !== undefined) await rm(fileOf(id), { force: true });
  }

  return {
    async add(bytes) {
      const id = randomUUID();
      if (folder === undefined) inMemory.set(id, bytes);
      else await writeFile(fileOf(id), bytes);
      return { id, size: bytes.length };
    },

    async read(bodies) {
      const read = ({ id }: Body) =>
        folder === undefined ? (inMemory.get(id) ?? new Uint8Array()) : readFile(fileOf(id));
      const [first = new Uint8Array(), ...others] = await Promise.all(bodies.map(read));
      // A copy of an object in one piece shares its bytes, which never change.
      if (others.length === 0) return Buffer.from(first.buffer, first.byteOffset, first.length);
      return Buffer.concat([first, ...others]);
    },

    use(bodies) {
      for (const { id } of bodies) uses.set(id, (uses.get(id) ?? 0) + 1);
    },

    async leave(bodies) {
      for (const { id } of bodies) {
        const left = (uses.get(id) ?? 0) - 1;
        if (left > 0) uses.set(id, left);
        else {
          uses.delete(id);
          await remove(id);
        }
      }
    },

    async removeUnused() {
      const ids = folder === undefined ? [...inMemory.keys()] : await readdir(folder);
      await Promise.all(ids.filter((id) => !uses.has(id)).map(remove));
    },
  };
}
