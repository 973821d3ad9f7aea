/**
 * The calls to AWS that each function made in a run of the local host; a test compares them with
 * the synthesised policies.
 */

import type { SdkCall } from '../../lambdas/adapters/aws-clients.ts';
import { currentFunction } from '../../lib/local/functions/invocation.ts';
import { ACCOUNT } from './policies.ts';

export interface RecordedCall {
  readonly realm: string;
  /** File below `lambdas/`. */
  readonly entry: string;
  /** As IAM spells it. */
  readonly action: string;
  /** ARN. */
  readonly resource: string;
}

export function callRecorder() {
  const seen = new Map<string, RecordedCall>();
  return {
    calls: () => [...seen.values()],
    onCall({ service, command, region, resources }: SdkCall): void {
      const running = currentFunction();
      if (running === undefined)
        throw new Error(`${service} ${command} was called outside of any function`);
      for (const name of resources) {
        const resource = resourceOf(service, region, name);
        const call = {
          realm: running.realm,
          entry: running.entry,
          action: `${service}:${command}`,
          resource,
        };
        seen.set(JSON.stringify(call), call);
      }
    },
  };
}

function resourceOf(service: SdkCall['service'], region: string, name: string): string {
  if (service === 'states') return name;
  if (service === 's3') return `arn:aws:s3:::${name}`;
  if (service === 'kms') return `arn:aws:kms:${region}:${ACCOUNT}:${name}`;
  return `arn:aws:dynamodb:${region}:${ACCOUNT}:table/${name.replace('/', '/index/')}`;
}
