/** The key that signs the receipts of a realm. Its private half never leaves KMS. */
import { Duration } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Key, KeySpec, KeyUsage } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { type Deployment, removalOf } from './deployment.ts';

export class ReceiptKey extends Construct {
  private readonly key: Key;

  constructor(scope: Construct, id: string, { deployment }: { readonly deployment: Deployment }) {
    super(scope, id);
    const { names } = deployment;
    this.key = new Key(this, 'Key', {
      description: `Signs the receipts of ${names.prefix}`,
      keySpec: KeySpec.ECC_NIST_P256,
      keyUsage: KeyUsage.SIGN_VERIFY,
      alias: names.receiptKey,
      pendingWindow: Duration.days(30),
      removalPolicy: removalOf(deployment),
    });
  }

  /** For the functions that sign receipts. */
  get signing(): PolicyStatement {
    return new PolicyStatement({ actions: ['kms:Sign'], resources: [this.key.keyArn] });
  }

  /** For operators, who verify receipts. */
  get reading(): PolicyStatement {
    return new PolicyStatement({ actions: ['kms:GetPublicKey'], resources: [this.key.keyArn] });
  }
}
