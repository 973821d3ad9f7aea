/** Adds latency between one realm's functions and AWS endpoints in other regions. */
import { request as forward } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { awsRefusal, listenOn, localServer, stop } from './http.ts';

export interface DelayedEndpoint {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Forwards to `url` after `latencyMs(region)` of the region that the request is signed for. Each
 * realm has its own.
 */
export async function delayed(
  url: string,
  latencyMs: (region: string) => number,
): Promise<DelayedEndpoint> {
  const server = localServer(
    async (request, response) => {
      const { method, headers, url: path } = request;
      await sleep(latencyMs(signedRegion(headers.authorization)));
      const onward = forward(new URL(path ?? '/', url), { method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      onward.on('error', () => response.destroy());
      request.pipe(onward);
    },
    {
      types: ['application/x-amz-json-1.0', 'application/json'],
      say: awsRefusal('SerializationException'),
    },
  );
  const port = await listenOn(server, 0);
  return { url: `http://127.0.0.1:${port}`, close: () => stop(server) };
}

/** `Credential=key/20261124/us-east-1/dynamodb/aws4_request` */
const signedRegion = (authorization = ''): string =>
  /Credential=[^/]+\/\d{8}\/([a-z0-9-]+)\//.exec(authorization)?.[1] ?? '';
