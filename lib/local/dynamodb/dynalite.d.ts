/** Types for the parts of dynalite that the embedded DynamoDB uses; the package has none. */

/** dynalite's store: all tables, items and indexes of a region in one LevelDB. */
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
    create(options: {
      /** Folder of the LevelDB store; in memory where it is left out. */
      readonly path?: string;
      readonly createTableMs?: number;
      readonly deleteTableMs?: number;
      readonly updateTableMs?: number;
    }): Store;
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

/** The checks of a request. Their errors have a status code and a body. */
declare module 'dynalite/validations/index.js' {
  import type { Store } from 'dynalite/db/index.js';

  const validations: {
    /** Removes fields from `input` that the types do not name. */
    checkTypes(input: object, types: unknown): object;
    checkValidations(input: object, types: unknown, custom: unknown, store: Store): void;
  };
  export default validations;
}
