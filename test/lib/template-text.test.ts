/**
 * The templates as text: ASCII, small, in an order in which resources can be created, and within
 * the limits of CloudWatch.
 */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Residency } from '../../lambdas/domain/residency.ts';
import { inAscii } from '../../lib/ascii.ts';
import { residency } from '../../residency.config.ts';
import { ACCOUNT, textOf } from '../support/policies.ts';
import {
  appOf,
  at,
  listOf,
  ofType,
  type RealmTemplate,
  synthesised,
} from '../support/templates.ts';

const PATIENCE = 120_000;
/** As many as Atlassian has. */
const REALMS = ['us', 'de', 'eu', 'au', 'sg', 'ca', 'ch', 'gb', 'in', 'jp', 'kr'];
const large: Residency = {
  ...residency,
  app: { ...residency.app, name: 'Übersicht ✓' },
  realms: REALMS.map((realm, index) => ({
    realm,
    region: residency.realms[index]?.region ?? `ap-southeast-${index}`,
  })),
};

let templates: readonly RealmTemplate[];
let files: readonly string[];
beforeAll(() => {
  const app = appOf(large, { stage: 'prod' });
  templates = synthesised(large, app);
  const assembly = app.synth();
  files = templates.map(({ realm }) =>
    readFileSync(assembly.getStackArtifact(`residency-${realm}`).templateFullPath, 'utf8'),
  );
}, PATIENCE);

describe('a template', () => {
  test('is in ASCII, whatever the app is called', () => {
    for (const file of files) {
      expect(file).toContain('Ubersicht ?: tenants of realm');
      expect(file.match(/[^\x20-\x7e]/g)).toBeNull();
    }
  });

  test('has no indentation, nor has the definition of the workflow in it', () => {
    for (const file of files) expect(file).not.toMatch(/\n|\\n {2}/);
  });

  test('names no dependency that a reference makes', () => {
    for (const { resources } of templates)
      for (const [id, { DependsOn, ...rest }] of Object.entries(resources)) {
        const referred = JSON.stringify(rest).matchAll(
          /"(?:Ref"|Fn::GetAtt":\[)?:?"([A-Za-z0-9]+)"/g,
        );
        const needless = [...referred].map(([, name = '']) => name);
        for (const needed of listOf(DependsOn)) expect(needless, id).not.toContain(needed);
      }
  });

  test('makes the state machine after the right to write its log', () => {
    for (const template of templates) {
      const [machine] = ofType(template, 'AWS::StepFunctions::StateMachine');
      const [policy, ...more] = listOf(machine?.DependsOn).map(String);
      expect(more).toEqual([]);
      expect(template.resources[policy ?? '']?.Type).toBe('AWS::IAM::Policy');
    }
  });

  test('saves queries after the logs that they look into', () => {
    for (const template of templates)
      for (const { Properties } of ofType(template, 'AWS::Logs::QueryDefinition'))
        for (const group of listOf(Properties['LogGroupNames']))
          expect(template.resources[String(at(group, 'Ref'))]?.Type).toBe('AWS::Logs::LogGroup');
  });

  test('writes the log of requests where the region’s log policy does not grow', () => {
    for (const template of templates) {
      const [stage] = ofType(template, 'AWS::ApiGatewayV2::Stage');
      const name = `/aws/vendedlogs/apigateway/residency-prod-${template.realm}`;
      expect(textOf(template, at(stage?.Properties, 'AccessLogSettings', 'DestinationArn'))).toBe(
        `arn:aws:logs:${template.region}:${ACCOUNT}:log-group:${name}`,
      );
      const groups = ofType(template, 'AWS::Logs::LogGroup').map(
        (g) => g.Properties['LogGroupName'],
      );
      expect(groups).toContain(name);
    }
  });
});

describe('the dashboard of eleven realms', () => {
  test('has a widget of alarms for each, with all of that realm and fewer than a hundred', () => {
    const [us] = templates;
    if (us === undefined) throw new Error('there is no stack');
    const [dashboard] = ofType(us, 'AWS::CloudWatch::Dashboard');
    const { widgets } = JSON.parse(textOf(us, dashboard?.Properties['DashboardBody']));
    const shown = widgets.filter(({ type }: { type: string }) => type === 'alarm');
    expect(shown).toHaveLength(REALMS.length);
    for (const [index, template] of templates.entries()) {
      const { title, alarms } = shown[index].properties;
      expect(title).toBe(`Alarms of ${template.realm}`);
      const own = ofType(template, 'AWS::CloudWatch::Alarm').map(
        ({ Properties }) =>
          `arn:aws:cloudwatch:${template.region}:${ACCOUNT}:alarm:${Properties['AlarmName']}`,
      );
      expect([...alarms].sort()).toEqual(own.sort());
      expect(alarms.length).toBeLessThanOrEqual(100);
    }
  });
});

test.each([
  ['Document Exporter', 'Document Exporter'],
  ['Übersicht, très bien', 'Ubersicht, tres bien'],
  ['文書 ✓', '?? ?'],
])('%j is said in ASCII', (text, said) => {
  expect(inAscii(text)).toBe(said);
});
