/**
 * What `cdk` runs: bundles the Lambdas once, and describes the stacks of all realms. Needs no
 * credentials.
 */
import { residencyApp } from '../lib/app.ts';
import { bundle } from '../lib/bundle.ts';
import { residency } from '../residency.config.ts';

const { outdir } = await bundle();
const account = process.env['CDK_DEFAULT_ACCOUNT'];
residencyApp({ residency, code: outdir, ...(account !== undefined && { account }) }).synth();
