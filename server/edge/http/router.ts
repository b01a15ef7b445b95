/** The REST calls as an express router, made from the route table: who calls, with what, and only then the handler. */
import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { invalid, Refusal, type Route, type RouteName, routes } from '../../../client-sdk/contract/index.ts';
import { type Caller, callerOf, type Keys } from '../../services/access.ts';
import type { House } from '../../services/house.ts';
import type { Limits } from '../../services/limits.ts';
import { mustServePage } from '../../services/origins.ts';
import { pageOf } from '../came-from.ts';
import type { Workload } from '../workload.ts';
import { type Edge, paramNames, paramSchema, routeNames } from './call.ts';
import { bearerOf } from './credential.ts';
import { answerTo, sendRefusal } from './failures.ts';
import { handlers } from './handlers.ts';
import { openApiDocument } from './openapi.ts';
import { bodyReader } from './read-body.ts';

export type RouterParts = {
  readonly house: House;
  readonly keys: Keys;
  /** The present, in ms since the epoch. */
  readonly clock: () => number;
  readonly limits: Limits;
  /**
   * How many proxies in front of us are believed about the client. None unless said; behind a balancer all clients
   * then share one rate limit.
   */
  readonly trustProxy?: number;
  /** What this node has under way, sockets included. */
  readonly workload: Workload;
};

function check<T>(schema: z.ZodType<T>, input: unknown): T {
  const parsed = schema.safeParse(input);
  if (!parsed.success) throw invalid(parsed.error);
  return parsed.data;
}

/** What of a handler the router needs: each is typed by its own route, which a loop over all of them cannot know. */
type AnyHandler = (edge: Edge, call: object) => Promise<unknown>;

/** The shop that a body names, where the path does not: a log-in. */
const shopIn = (body: unknown) => {
  const { shop } = (body ?? {}) as { shop?: unknown };
  return typeof shop === 'string' ? shop : undefined;
};

type Serve = (request: Request, response: Response) => Promise<void>;

function serve(name: RouteName, parts: RouterParts): Serve {
  const { house, keys, clock, limits, workload, trustProxy = 0 } = parts;
  const route: Route = routes[name];
  const handler = handlers[name] as AnyHandler;
  const params = z.object(Object.fromEntries(paramNames(route.path).map((param) => [param, paramSchema])));
  const readBody = bodyReader(name);
  const open = route.who.includes('nobody');
  const buyers = route.who.includes('buyer') ? (route.late ? 'late' : 'present') : undefined;
  const edge: Edge = parts;

  async function identify(request: Request, shop: string | undefined, now: number): Promise<Caller> {
    const caller = await callerOf(house, keys, bearerOf(request), { shop, buyers }, now);
    if (!route.who.includes(caller.kind)) throw new Refusal('forbidden');
    return caller;
  }

  /** Pages act with a buyer's or an agent's token, or come to get one; a key is a program's. */
  async function mustServe(request: Request, caller: Caller, shop: string | undefined): Promise<void> {
    const page = pageOf(request, trustProxy);
    if (page && shop !== undefined && (open || caller.actor || caller.buyer)) await mustServePage(house, shop, page);
  }

  return async (request, response) => {
    const now = clock();
    limits.call(request.ip ?? '');
    // Where everybody may call no credential is looked at: an old token in the client must not stop a new log-in.
    if (!open && bearerOf(request) === undefined) throw new Refusal('unauthorized');
    const path = check(params, request.params);
    const caller: Caller = open ? { kind: 'nobody' } : await workload.carryOut(() => identify(request, path.shop, now));
    if (caller.kind !== 'nobody' && path.shop !== undefined && route.method !== 'get')
      limits.callForShop(path.shop, caller.buyer ? 'buyers' : 'staff');
    const query = route.query ? check(route.query, request.query) : undefined;
    const body = route.body ? check(route.body, await readBody(request, response)) : undefined;
    await workload.carryOut(() => mustServe(request, caller, path.shop ?? caller.actor?.shop ?? shopIn(body)));
    const call = { params: path, query, body, caller, address: request.ip ?? '', now };
    const answer = await workload.carryOut(() => handler(edge, call));
    response.status(route.status ?? 200).json(answer);
  };
}

/** Everything under `/api/v1`. What it cannot answer, it refuses; nothing is passed on. */
export function createRouter(parts: RouterParts): Router {
  const { log } = parts.house;
  const router = Router();

  router.use((_request, response, next) => {
    // Answers carry secrets and live state.
    response.set('Cache-Control', 'no-store');
    next();
  });

  const document = openApiDocument();
  router.get('/openapi.json', (_request, response) => {
    response.locals.route = '/api/v1/openapi.json';
    response.json(document);
  });

  for (const name of routeNames) {
    const { method, path }: Route = routes[name];
    const answer = serve(name, parts);
    router[method](path, (request, response) => {
      response.locals.route = `/api/v1${path}`;
      return answer(request, response).catch((error: unknown) => {
        sendRefusal(request, response, answerTo(error, log, { shop: request.params.shop, call: name }));
      });
    });
  }
  return router;
}
