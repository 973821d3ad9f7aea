/**
 * What `cdk` runs, without its command line: bundles the Lambdas and describes all stacks in a
 * folder of the bench.
 */
import { residencyApp } from '../lib/app.ts';
import { bundle } from '../lib/bundle.ts';
import { residency } from '../residency.config.ts';

process.env['CDK_OUTDIR'] = 'bench/dist/cdk.out';
// The last check of the templates takes longer than all else; `npm run synth` makes it.
process.env['CDK_VALIDATION'] = 'false';
const { outdir } = await bundle({ outdir: 'bench/dist/synth' });
residencyApp({ residency, code: outdir }).synth();
