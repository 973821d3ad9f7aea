/** A receipt as one HTML page that loads nothing else: to be printed on A4, signed, and filed. */

import type { Receipt } from '../../../lambdas/domain/moving/receipt.ts';
import { withCommas } from '../../../lambdas/domain/operating/with-commas.ts';
import { moment, printable, sized } from '../terminal/print.ts';
import type { ReceiptReport } from './receipt.ts';

const OUTCOMES: Readonly<Record<ReceiptReport['outcome'], string>> = {
  committed: 'The data was moved, verified, and removed where it came from.',
  'rolled-back': 'The move was undone. The data is where it was before.',
  'ready-to-commit': 'The data was copied and verified. The move is not finished.',
};

/** A part, and what is counted of it where that is no item of a table. */
export const named = ({ buckets }: Pick<ReceiptReport, 'buckets'>, part: string): string =>
  buckets.includes(part) ? `${part} (objects)` : part;

/** What may be left of objects after their purge. */
export const sayBuckets = (parts: readonly string[]): string =>
  `of the objects of ${parts.join(', ')} every version, delete marker and open upload was deleted, and no backup of ours had them; copies that a replication or a backup of your own has made are not looked at`;

export const sayNeverHeld = (part: string): string =>
  `PART ${part} NEVER HELD AN ITEM of this tenant: that it is empty proves nothing, unless its keys are declared as its table has them`;

export function receiptPage(report: ReceiptReport): string {
  const { source, target, checksums, provenEmpty, history, record, isFinal } = report;
  const { scope, link, signature } = record;
  const parts = Object.entries(checksums);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Receipt of migration ${html(report.migration)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${isFinal ? '' : 'DRAFT: '}Receipt of a data-residency move</h1>
${isFinal ? '' : '<p class="draft">DRAFT. The move is not over, or not signed off by every realm. This page proves nothing.</p>'}
<p class="lead">${html(OUTCOMES[report.outcome])}</p>
${list([
  ['App', `${report.app}, stage ${report.stage}`],
  ['Tenant (client key)', report.tenant],
  ['Migration', report.migration],
  ['From', `realm ${source}, AWS region ${report.sourceRegion}`],
  ['To', `realm ${target}, AWS region ${report.targetRegion}`],
  ['Outcome', report.outcome],
  [isFinal ? 'Signed off' : 'As of', moment(report.at)],
  ...(report.ahead === undefined ? [] : ([['Before the window', report.ahead]] as const)),
  ...(scope
    ? ([
        ['AWS account', scope.account],
        ['Code', `version ${scope.version}`],
        ['Dropped (caches)', scope.dropped.join(', ') || 'none'],
        ['Not moved by this system', scope.outOfScope.join(', ') || 'nothing was declared'],
      ] as const)
    : []),
])}
<h2>What was verified to be equal on both sides</h2>
${grid(
  ['Part', 'Items', 'Size', 'Digest (SHA-256 of each item, summed)'],
  parts.map(([part, { items, bytes, sum }]) => [
    named(report, part),
    withCommas(items),
    sized(bytes),
    sum,
  ]),
)}
<h2>Proof of emptiness</h2>
${report.neverHeld.map((part) => `<p class="warning">${html(sayNeverHeld(part))}.</p>`).join('\n')}
${
  provenEmpty === undefined
    ? '<p>Nothing had to be emptied.</p>'
    : `<p>Strongly consistent reads found ${html(withCommas(provenEmpty.ranges.length))} ranges of realm ${html(provenEmpty.realm)} empty at ${html(moment(provenEmpty.at))}.</p>
<p class="small">${html(provenEmpty.ranges.join(', '))}</p>`
}
${report.backupsExpire === undefined ? '' : `<p>Point-in-time backups of that realm no longer hold the data of its tables from ${html(report.backupsExpire)} on.</p>`}
${provenEmpty && report.buckets.length > 0 ? `<p>${html(sayBuckets(report.buckets))}.</p>` : ''}
${
  scope === undefined
    ? ''
    : `<h2>Tables and buckets</h2>
${grid(
  ['Part', 'Source', 'Target'],
  Object.entries(scope.tables).map(([part, table]) => [part, table.source, table.target]),
)}`
}
<h2>History</h2>
${grid(
  ['At', 'Status', 'By'],
  history.map(({ at, status, actor, error, attempt }) => [
    moment(at),
    error === undefined ? status : `${status}: ${error.reason}`,
    attempt === undefined ? actor : `${actor} (attempt ${attempt})`,
  ]),
)}
<h2>Where this is kept</h2>
<p>In the ledger of ${html(report.keptIn.join(' and of '))}. SHA-256 of the record:</p>
<p class="digest">${html(report.fingerprint)}</p>
${link === undefined ? '' : `<p>Number ${html(withCommas(link.number))} of the receipts of realm ${html(link.realm)}, signed by its key:</p>\n<p class="digest">${html(signature?.key ?? '')}</p>`}
<p>The record itself, for <code>residency receipt --verify</code>:</p>
<pre class="digest" id="record">${embedded(record)}</pre>
<footer>Printed ${html(moment(report.printedAt))}${isFinal ? ' <span class="sign">Checked by</span>' : ''}</footer>
</main>
</body>
</html>
`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const CHARACTERS = Object.fromEntries(
  Object.entries(ENTITIES).map(([character, entity]) => [entity, character]),
);

/** Text, never markup. Characters that would turn the text around are spelled out. */
const html = (value: string): string =>
  printable(value, 20_000).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');

/** JSON with every character beyond plain ASCII escaped, so that the page keeps all of it. */
const embedded = (record: Receipt): string =>
  JSON.stringify(record)
    .replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');

/** The record that a page carries; `undefined` where there is none. */
export function recordIn(page: string): unknown {
  const [, text] = /<pre class="digest" id="record">([^<]*)<\/pre>/.exec(page) ?? [];
  if (text === undefined) return undefined;
  const plain = text.replace(/&(?:amp|lt|gt|quot|#39);/g, (entity) => CHARACTERS[entity] ?? entity);
  return JSON.parse(plain);
}

const list = (facts: readonly (readonly [string, string])[]): string =>
  `<dl>\n${facts.map(([name, value]) => `<dt>${html(name)}</dt><dd>${html(value)}</dd>`).join('\n')}\n</dl>`;

function grid(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (row: readonly string[]) => row.map((cell) => `<td>${html(cell)}</td>`).join('');
  const body = rows.map((row) => `<tr>${cells(row)}</tr>`).join('\n');
  const names = head.map((name) => `<th scope="col">${html(name)}</th>`).join('');
  return `<table>\n<thead><tr>${names}</tr></thead>\n<tbody>\n${body}\n</tbody>\n</table>`;
}

const STYLE = `
@page { size: A4; margin: 18mm 16mm; }
* { box-sizing: border-box; }
body { margin: 0; background: #fff; color: #111; font: 11pt/1.45 system-ui, sans-serif; }
main { max-width: 178mm; margin: 0 auto; padding: 8mm 4mm; }
h1 { font-size: 18pt; margin: 0 0 2mm; }
h2 { font-size: 12pt; margin: 7mm 0 2mm; break-after: avoid; }
.draft { color: #a00; font-weight: 700; }
pre { white-space: pre-wrap; margin: 0; }
.lead { font-size: 12pt; margin: 0 0 5mm; }
dl { display: grid; grid-template-columns: 42mm 1fr; gap: 1mm 4mm; margin: 0; }
dt { color: #555; }
dd { margin: 0; overflow-wrap: anywhere; }
table { width: 100%; border-collapse: collapse; font-size: 9.5pt; }
th, td { text-align: left; vertical-align: top; padding: 1mm 2mm 1mm 0; border-bottom: 0.2mm solid #bbb; overflow-wrap: anywhere; }
tr { break-inside: avoid; }
.warning { border: 0.6mm solid #111; padding: 2mm 3mm; font-weight: 700; }
.digest, .small { font: 8.5pt/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
footer { margin-top: 14mm; display: flex; justify-content: space-between; color: #555; }
.sign { display: inline-block; width: 70mm; border-top: 0.2mm solid #111; padding-top: 1mm; }
@media print { main { padding: 0; max-width: none; } }
`;
