/**
 * Removes from a template the dependencies that a reference already makes. CDK writes them, and
 * cfn-lint warns of each (W3005).
 */
import { CfnResource, Stack } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/**
 * Keeps only the dependencies on `kept` in the resource behind `construct`. The resource depends on
 * its role by a reference.
 */
export function dependLess(
  construct: IConstruct,
  kept: readonly (IConstruct | undefined)[] = [],
): void {
  const resource = construct.node.defaultChild;
  if (!(resource instanceof CfnResource)) throw new Error(`${construct.node.path} has no resource`);
  const ids = kept.map((one) => one?.node.defaultChild).filter((one) => one instanceof CfnResource);
  if (ids.length !== kept.length) throw new Error(`${construct.node.path} depends on no resource`);
  if (ids.length === 0) resource.addDeletionOverride('DependsOn');
  else
    resource.addOverride(
      'DependsOn',
      ids.map((one) => Stack.of(one).getLogicalId(one)),
    );
}
