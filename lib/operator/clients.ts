/**
 * The operator's SDK clients, one per realm: AWS with the ordinary credential chain, as a role of
 * the realm where one is given, or the local host.
 */

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetPublicKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { defined } from '../../lambdas/domain/defined.ts';
import type { Realm } from '../../lambdas/domain/realm.ts';
import { Failure } from './terminal/failure.ts';

/**
 * One SDK call with its parameters. A test compares the calls with the rights of the operators'
 * roles.
 */
export interface OperatorCall {
  readonly service: 'dynamodb' | 's3' | 'states' | 'lambda' | 'sts' | 'kms' | OtherService;
  readonly command: string;
  readonly realm: Realm;
  readonly input: object;
}

/** The services that only `preflight` and some checks of `doctor` ask, by their prefix in IAM. */
export type OtherService =
  | 'account'
  | 'cloudformation'
  | 'cloudwatch'
  | 'iam'
  | 'logs'
  | 'route53'
  | 'ssm';

/** Where a local host listens. */
export interface LocalEndpoints {
  readonly dynamoDb: string;
  readonly objects: string;
  readonly states: string;
  readonly functions: string;
  readonly keys: string;
}

export interface ClientsOptions {
  readonly regionOf: (realm: Realm) => string;
  /** The realm whose region is asked for the caller's identity. */
  readonly defaultRealm: Realm;
  /** Name of the role to take in a realm. Without it the credentials are used as they are. */
  readonly roleOf?: ((realm: Realm) => string) | undefined;
  readonly local?: LocalEndpoints | undefined;
  readonly onCall?: ((call: OperatorCall) => void) | undefined;
}

/** A local host takes any credentials. The operator's own are neither needed nor sent. */
const LOCAL_CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' };
const CONNECT_MS = 3_000;
const ANSWER_MS = 15_000;
/** As long as a Lambda may run. */
const INVOCATION_MS = 310_000;

/** What every client of the SDK has. */
interface Heard {
  destroy(): void;
  readonly middlewareStack: {
    add(
      middleware: <A extends { readonly input: object }, R>(
        next: (args: A) => R,
        context: { readonly commandName?: string },
      ) => (args: A) => R,
      where: { readonly step: 'initialize'; readonly name: string },
    ): void;
  };
}

export type OperatorClients = ReturnType<typeof operatorClients>;

export function operatorClients(options: ClientsOptions) {
  const { regionOf, defaultRealm, local, onCall } = options;
  const sts = new STSClient({ region: regionOf(defaultRealm), maxAttempts: 3 });
  const opened: { destroy(): void }[] = [sts];
  const identity = once(() => sts.send(new GetCallerIdentityCommand({})));

  const common = (realm: Realm, endpoint: string | undefined, answerMs = ANSWER_MS) => ({
    region: regionOf(realm),
    maxAttempts: answerMs === ANSWER_MS ? 3 : 1,
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      requestTimeout: answerMs,
      throwOnRequestTimeout: true,
    },
    ...(endpoint !== undefined && { endpoint, credentials: LOCAL_CREDENTIALS }),
    ...(endpoint === undefined && options.roleOf && { credentials: roleIn(realm, options.roleOf) }),
  });

  /** A credential provider: the SDK calls it again when the credentials have expired. */
  function roleIn(realm: Realm, roleOf: (realm: Realm) => string) {
    return async () => {
      const { Account: account, Arn: caller = '' } = await identity();
      const { Credentials: given } = await sts.send(
        new AssumeRoleCommand({
          RoleArn: `arn:${caller.split(':')[1] ?? 'aws'}:iam::${account}:role/${roleOf(realm)}`,
          // CloudTrail shows this name beside the role, and so the person.
          RoleSessionName: sessionName(caller),
        }),
      );
      if (!given?.AccessKeyId || !given.SecretAccessKey || !given.SessionToken)
        throw new Failure(`the role ${roleOf(realm)} cannot be taken`);
      return {
        accessKeyId: given.AccessKeyId,
        secretAccessKey: given.SecretAccessKey,
        sessionToken: given.SessionToken,
        ...defined({ expiration: given.Expiration }),
      };
    };
  }

  /** A middleware that fits into every client's stack. */
  const listener =
    (service: OperatorCall['service'], realm: Realm) =>
    <A extends { readonly input: object }, R>(
      next: (args: A) => R,
      { commandName = '' }: { readonly commandName?: string },
    ) =>
    (args: A): R => {
      const command = commandName.replace(/Command$/, '');
      onCall?.({ service, command, realm, input: args.input });
      return next(args);
    };
  const first = { step: 'initialize', name: 'onCall' } as const;

  function perRealm<T extends { destroy(): void }>(make: (realm: Realm) => T) {
    const made = new Map<Realm, T>();
    return (realm: Realm): T => {
      const known = made.get(realm);
      if (known !== undefined) return known;
      const client = make(realm);
      made.set(realm, client);
      opened.push(client);
      return client;
    };
  }

  /**
   * Makes clients of another service. Their modules take time to load, so the commands that need
   * them import them, and not this file.
   */
  const others = <T extends Heard>(
    service: OtherService,
    make: (config: ReturnType<typeof common>) => T,
  ) =>
    perRealm((realm) => {
      const client = make(common(realm, undefined));
      client.middlewareStack.add(listener(service, realm), first);
      return client;
    });

  const dynamoDb = perRealm((realm) => {
    const client = new DynamoDBClient(common(realm, local?.dynamoDb));
    client.middlewareStack.add(listener('dynamodb', realm), first);
    return client;
  });
  const objects = perRealm((realm) => {
    const client = new S3Client({
      ...common(realm, local?.objects),
      forcePathStyle: local !== undefined,
    });
    client.middlewareStack.add(listener('s3', realm), first);
    return client;
  });
  const keys = perRealm((realm) => {
    const client = new KMSClient(common(realm, local?.keys));
    client.middlewareStack.add(listener('kms', realm), first);
    return client;
  });
  const vendorDocuments = (region: string): DynamoDBDocumentClient => {
    const client = new DynamoDBClient({
      region,
      ...(local && { endpoint: local.dynamoDb, credentials: LOCAL_CREDENTIALS }),
    });
    opened.push(client);
    return DynamoDBDocumentClient.from(client);
  };
  return {
    dynamoDb,
    objects,
    keys,
    others,
    /**
     * For a table of the vendor's that is no part: by the caller's own credentials, whatever role
     * is taken for the realms.
     */
    vendorDocuments,
    documents: perRealm((realm) => DynamoDBDocumentClient.from(dynamoDb(realm))),
    states: perRealm((realm) => {
      const client = new SFNClient(common(realm, local?.states));
      client.middlewareStack.add(listener('states', realm), first);
      return client;
    }),
    /**
     * An invocation may last as long as a Lambda. The SDK does not repeat it, because a repeat
     * would run the function twice.
     */
    functions: perRealm((realm) => {
      const client = new LambdaClient(common(realm, local?.functions, INVOCATION_MS));
      client.middlewareStack.add(listener('lambda', realm), first);
      return client;
    }),
    /** Returns PEM. Throws the SDK's errors. */
    async publicKey(realm: Realm, alias: string): Promise<string> {
      const { PublicKey: der } = await keys(realm).send(new GetPublicKeyCommand({ KeyId: alias }));
      const text = Buffer.from(der ?? []).toString('base64');
      return `-----BEGIN PUBLIC KEY-----\n${text.replace(/.{64}(?=.)/g, '$&\n')}\n-----END PUBLIC KEY-----\n`;
    },
    /** The caller, before any role is taken. */
    identity,
    close: () => {
      for (const client of opened) client.destroy();
    },
  };
}

/** The last part of an ARN: the user, or the session of a role. */
const sessionName = (arn: string): string =>
  `residency-${(arn.split('/').at(-1) ?? '').replace(/[^\w+=,.@-]/g, '-')}`.slice(0, 64);

function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined;
  return () => (answer ??= ask());
}
