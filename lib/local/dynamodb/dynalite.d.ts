/** The part of dynalite's interface that the embedded DynamoDB uses; the package brings no types. */
declare module 'dynalite' {
  import type { Server } from 'node:http';

  export default function dynalite(options: {
    /** Folder of the LevelDB store; in memory without it. */
    readonly path?: string;
    readonly createTableMs?: number;
    readonly deleteTableMs?: number;
    readonly updateTableMs?: number;
  }): Server;
}

/** Its store alone, before a server stands in front of it. */
declare module 'dynalite/db/index.js' {
  export interface Table {
    readonly TableName: string;
    TableStatus: string;
    readonly GlobalSecondaryIndexes?: readonly { IndexStatus: string }[];
  }

  export interface Store {
    readonly db: {
      open(): Promise<void>;
      close(): Promise<void>;
      put(key: string, value: object): Promise<void>;
      del(key: string): Promise<void>;
      iterator(): AsyncIterable<[key: string, value: object]>;
      values(range: { readonly gte: string; readonly lt: string }): AsyncIterable<unknown>;
    };
  }

  const db: {
    create(options: { readonly path: string }): Store;
    updateIndexes(
      store: Store,
      table: Table,
      before: object,
      after: object,
      done: (error?: Error | null) => void,
    ): void;
  };
  export default db;
}
