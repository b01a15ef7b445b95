/** The REST calls as an OpenAPI 3.1 document, made from the same table and schemas as the router. */
import { z } from 'zod';
import {
  agent,
  agentPut,
  assignment,
  auditEntry,
  buyer,
  buyerPut,
  conversation,
  deadLetter,
  type ErrorCode,
  errorCatalogue,
  failure,
  group,
  groupPut,
  identifier,
  liveAgent,
  message,
  type Route,
  type RouteName,
  routes,
  settings,
  settingsPatch,
  unheld,
  webhookAnswer,
  webhookEvent,
} from '../../../client-sdk/contract/index.ts';
import { paramNames, routeNames } from './call.ts';

type Json = Record<string, unknown>;
type Direction = 'input' | 'output';

/** What is named in the document; everything else is written out where it stands. */
const named: Record<Direction, Record<string, z.ZodType>> = {
  output: {
    Identifier: identifier,
    Agent: agent,
    Assignment: assignment,
    AuditEntry: auditEntry,
    Buyer: buyer,
    Conversation: conversation,
    DeadLetter: deadLetter,
    Failure: failure,
    Group: group,
    LiveAgent: liveAgent,
    Message: message,
    Settings: settings,
    Unheld: unheld,
    WebhookEvent: webhookEvent,
  },
  // What is sent has its own names: with defaults, what may be left out there is always there in an answer.
  input: {
    Identifier: identifier,
    AgentPut: agentPut,
    BuyerPut: buyerPut,
    GroupPut: groupPut,
    SettingsPatch: settingsPatch,
    WebhookAnswer: webhookAnswer,
  },
};

const refTo = (kind: 'schemas' | 'responses', name: string) => ({ $ref: `#/components/${kind}/${name}` });
const capital = (name: string) => name.charAt(0).toUpperCase() + name.slice(1);

/** Turns the schemas of one direction into components, together, so that they refer to each other. */
function componentsOf(schemas: ReadonlyMap<z.ZodType, string>, io: Direction): Json {
  const registry = z.registry<{ id: string }>();
  for (const [schema, id] of schemas) registry.add(schema, { id });
  const made = z.toJSONSchema(registry, {
    io,
    uri: (id) => `#/components/schemas/${id}`,
    // What is sent is taken as it stands here; what is answered may have more fields one day.
    override({ jsonSchema }) {
      if (io === 'output' && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
    },
  });
  return Object.fromEntries(
    // A component is found by its place in the document, which an $id of its own would move.
    Object.entries(made.schemas).map(([id, { $id, $schema, ...schema }]) => [id, schema]),
  );
}

/** All schemas that the document names: those above, and the body and answer of each route. */
function collect(): Record<Direction, Map<z.ZodType, string>> {
  const input = new Map(Object.entries(named.input).map(([id, schema]) => [schema, id]));
  const output = new Map(Object.entries(named.output).map(([id, schema]) => [schema, id]));
  const answers = new Map<z.ZodType, string>();
  for (const name of routeNames) {
    const route: Route = routes[name];
    if (route.body && !input.has(route.body)) input.set(route.body, `${capital(name)}Body`);
    // Answers that several routes share are named after the first.
    if (!output.has(route.answer) && !answers.has(route.answer)) answers.set(route.answer, `${capital(name)}Answer`);
  }
  return { input, output: new Map([...output, ...answers]) };
}

/** The refusals a route may answer, besides those that any may. */
function refusalsOf(name: RouteName, route: Route): ErrorCode[] {
  const guarded = !route.who.includes('nobody');
  const codes: (ErrorCode | false)[] = [
    (route.body !== undefined || route.query !== undefined || paramNames(route.path).length > 0) && 'invalid',
    (guarded || name === 'createSession' || name === 'refreshSession') && 'unauthorized',
    guarded && 'forbidden',
    paramNames(route.path).length > 0 && 'not-found',
    route.method !== 'get' && guarded && 'conflict',
    route.body !== undefined && 'too-large',
    !guarded && 'rate-limited',
    'internal',
    'unavailable',
  ];
  return codes.filter((code) => code !== false);
}

function queryParameters(schema: z.ZodType): Json[] {
  const { properties = {} } = z.toJSONSchema(schema, { io: 'input' });
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: 'query',
    required: false,
    schema: property,
  }));
}

const json = (schema: Json) => ({ 'application/json': { schema } });

function operation(name: RouteName, names: ReturnType<typeof collect>): Json {
  const route: Route = routes[name];
  const open = route.who.includes('nobody');
  const parameters = [
    ...paramNames(route.path).map((param) => ({
      name: param,
      in: 'path',
      required: true,
      schema: refTo('schemas', 'Identifier'),
    })),
    ...(route.query ? queryParameters(route.query) : []),
  ];
  const [, first = '', , second = first] = route.path.split('/');
  return {
    operationId: name,
    summary: route.summary,
    description: open ? 'Needs no credential.' : `For: ${route.who.join(', ')}.`,
    tags: [second],
    security: open ? [] : [{ bearer: [] }],
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(route.body
      ? { requestBody: { required: true, content: json(refTo('schemas', names.input.get(route.body) ?? '')) } }
      : {}),
    responses: {
      [route.status ?? 200]: {
        description: 'Done',
        content: json(refTo('schemas', names.output.get(route.answer) ?? '')),
      },
      ...Object.fromEntries(
        refusalsOf(name, route).map((code) => [errorCatalogue[code].status, refTo('responses', code)]),
      ),
    },
  };
}

function refusalResponse(code: ErrorCode): Json {
  const retry = { 'Retry-After': { description: 'Seconds to wait', schema: { type: 'integer' } } };
  return {
    description: errorCatalogue[code].en,
    ...(code === 'rate-limited' ? { headers: retry } : {}),
    content: json({
      type: 'object',
      properties: { error: refTo('schemas', 'Failure') },
      required: ['error'],
    }),
  };
}

/** What robots with a webhook are called with, and may answer. */
const webhooks: Json = {
  delivery: {
    post: {
      operationId: 'delivery',
      summary: 'Something has happened that concerns a robot with a webhook; signed, see Fenliu-Signature',
      tags: ['webhooks'],
      security: [],
      parameters: ['Fenliu-Delivery', 'Fenliu-Timestamp', 'Fenliu-Signature'].map((name) => ({
        name,
        in: 'header',
        required: true,
        schema: { type: 'string' },
      })),
      requestBody: { required: true, content: json(refTo('schemas', 'WebhookEvent')) },
      responses: {
        200: {
          description: 'Taken; what is to be done, if anything',
          content: json(refTo('schemas', 'WebhookAnswer')),
        },
      },
    },
  },
};

/** The document, as JSON. */
export function openApiDocument(): Json {
  const names = collect();
  const paths: Record<string, Json> = {};
  for (const name of routeNames) {
    const { method, path } = routes[name];
    const template = path.replace(/:(\w+)/g, '{$1}');
    paths[template] = { ...paths[template], [method]: operation(name, names) };
  }
  const codes = Object.keys(errorCatalogue) as ErrorCode[];
  return {
    openapi: '3.1.0',
    info: {
      title: 'Fenliu',
      version: '1',
      description:
        'Dispatches the buyers of a shop to its customer-service agents. Times are milliseconds since the epoch, UTC. ' +
        'Messages of errors are in Chinese where Accept-Language prefers it.',
    },
    servers: [{ url: '/api/v1' }],
    security: [{ bearer: [] }],
    tags: [...new Set(Object.values(paths).flatMap((path) => Object.values(path).flatMap(tagsOf)))].map((name) => ({
      name,
    })),
    paths,
    webhooks,
    components: {
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: "The admin key (all shops), a shop's API key, an agent's session token, or a buyer's token.",
        },
      },
      responses: Object.fromEntries(codes.map((code) => [code, refusalResponse(code)])),
      schemas: { ...componentsOf(names.output, 'output'), ...componentsOf(names.input, 'input') },
    },
  };
}

const tagsOf = (operationObject: unknown) => (operationObject as { tags: string[] }).tags;
