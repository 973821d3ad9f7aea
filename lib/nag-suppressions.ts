/**
 * Suppresses a finding of cdk-nag at one construct, with its reason. No other file suppresses any.
 */
import { Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/**
 * `rule` is the name in the finding, with its details in brackets where it has some:
 * `AwsSolutions-IAM5[Resource::*]`.
 */
export function suppressNag(construct: IConstruct, rule: string, reason: string): void {
  Validations.of(construct).acknowledge({ id: rule, reason });
}
