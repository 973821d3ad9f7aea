/** The HTTP API of a realm: the literal routes of `routes.ts`, each with its own throttle. */
import { CfnOutput } from 'aws-cdk-lib';
import {
  CfnApiMapping,
  CfnStage,
  DomainName,
  HttpApi,
  HttpMethod,
  type HttpRoute,
  SecurityPolicy,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { Certificate, CertificateValidation } from 'aws-cdk-lib/aws-certificatemanager';
import type { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { AaaaRecord, ARecord, HostedZone, RecordTarget } from 'aws-cdk-lib/aws-route53';
import { ApiGatewayv2DomainProperties } from 'aws-cdk-lib/aws-route53-targets';
import { Construct } from 'constructs';
import { arnOf, type Deployment, removalOf } from './deployment.ts';
import { countHookErrors } from './hook-errors.ts';
import { accessLog } from './log-groups.ts';
import { suppressNag } from './nag-suppressions.ts';
import { type Route, routesOf } from './routes.ts';

export interface HooksApiProps {
  readonly deployment: Deployment;
  readonly lambdaOf: (entry: string) => IFunction;
}

/** No personal data: no query string (it may hold a token), no header, no IP address. */
const ACCESS_LOG = {
  requestId: '$context.requestId',
  time: '$context.requestTime',
  route: '$context.routeKey',
  // Not named `status`, because that is a migration's status in the functions' lines.
  httpStatus: '$context.status',
  responseBytes: '$context.responseLength',
  milliseconds: '$context.responseLatency',
  error: '$context.error.message',
  integrationError: '$context.integrationErrorMessage',
};

const routeKeyOf = ({ method, path }: Route) => `${method} ${path}`;

export class HooksApi extends Construct {
  readonly api: HttpApi;
  readonly hookErrors: Metric;
  /** The access log: each request, and how it was answered. */
  readonly log: LogGroup;

  constructor(scope: Construct, id: string, { deployment, lambdaOf }: HooksApiProps) {
    super(scope, id);
    const { names, zone } = deployment;

    this.api = new HttpApi(this, 'Api', {
      apiName: names.prefix,
      description: 'Hooks and app',
      createDefaultStage: false,
      // With a domain, tokens are made out to it alone, so the API's own address is switched off.
      disableExecuteApiEndpoint: zone !== undefined,
    });
    suppressNag(
      this.api,
      'AwsSolutions-APIG4',
      'Atlassian signs each request for one tenant and one method, path and query. No API-level authoriser can look up that ' +
        'tenant’s secret; every handler verifies the token itself before it reads anything else.',
    );

    const integrations = new Map<string, HttpLambdaIntegration>();
    const integrationOf = (entry: string) => {
      const integration =
        integrations.get(entry) ?? new HttpLambdaIntegration(entry, lambdaOf(entry));
      integrations.set(entry, integration);
      return integration;
    };
    const routes: HttpRoute[] = routesOf(deployment.residency).flatMap((route) =>
      this.api.addRoutes({
        path: route.path,
        methods: [HttpMethod[route.method]],
        integration: integrationOf(route.entry),
      }),
    );

    const logGroupName = accessLog(deployment);
    this.log = new LogGroup(this, 'AccessLog', {
      logGroupName,
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: removalOf(deployment),
    });
    this.hookErrors = countHookErrors(this, this.log, deployment);
    const stage = new CfnStage(this, 'Stage', {
      apiId: this.api.apiId,
      stageName: '$default',
      autoDeploy: true,
      accessLogSettings: {
        destinationArn: arnOf(deployment.region, 'logs', `log-group:${logGroupName}`),
        format: JSON.stringify(ACCESS_LOG),
      },
      // On each route: a flood on another route must not make Atlassian's three tries fail.
      routeSettings: Object.fromEntries(
        routesOf(deployment.residency).map((route) => [
          routeKeyOf(route),
          { ThrottlingRateLimit: route.throttle.rate, ThrottlingBurstLimit: route.throttle.burst },
        ]),
      ),
    });
    // API Gateway refuses a stage whose log, or whose routes with settings, do not exist yet.
    stage.node.addDependency(this.log, ...routes);

    if (zone) this.serveOn(zone, stage);
    new CfnOutput(this, 'BaseUrl', {
      description:
        'Put it into baseUrls of residency.config.ts, unless the configuration names a domain.',
      value: zone ? `https://${zone.host}` : this.api.apiEndpoint,
    });
  }

  private serveOn(
    { name: zoneName, id: hostedZoneId, host: name }: NonNullable<Deployment['zone']>,
    stage: CfnStage,
  ): void {
    const zone = HostedZone.fromHostedZoneAttributes(this, 'Zone', { zoneName, hostedZoneId });
    const domain = new DomainName(this, 'Domain', {
      domainName: name,
      certificate: new Certificate(this, 'Certificate', {
        certificateName: name,
        domainName: name,
        validation: CertificateValidation.fromDns(zone),
      }),
      securityPolicy: SecurityPolicy.TLS_1_2,
    });
    new CfnApiMapping(this, 'Mapping', {
      apiId: this.api.apiId,
      domainName: domain.name,
      stage: stage.ref,
    });
    const target = RecordTarget.fromAlias(
      new ApiGatewayv2DomainProperties(domain.regionalDomainName, domain.regionalHostedZoneId),
    );
    new ARecord(this, 'Ipv4', { zone, recordName: name, target });
    new AaaaRecord(this, 'Ipv6', { zone, recordName: name, target });
  }
}
