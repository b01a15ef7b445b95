/** What a handler of a REST call is given and owes, derived from the route table, so that neither can drift from it. */
import type { z } from 'zod';
import { identifier, type RouteName, routes } from '../../../client-sdk/contract/index.ts';
import type { Caller, Keys } from '../../services/access.ts';
import type { House } from '../../services/house.ts';
import type { Limits } from '../../services/limits.ts';

type Table = typeof routes;

type NamesIn<Path extends string> = Path extends `${string}:${infer Rest}`
  ? Rest extends `${infer Name}/${infer Tail}`
    ? Name | NamesIn<Tail>
    : Rest
  : never;

export type Params<N extends RouteName> = Record<NamesIn<Table[N]['path']>, string>;
export type Query<N extends RouteName> = Table[N] extends { query: infer Q extends z.ZodType }
  ? z.output<Q>
  : undefined;
export type Body<N extends RouteName> = Table[N] extends { body: infer B extends z.ZodType } ? z.output<B> : undefined;
export type Answer<N extends RouteName> = z.output<Table[N]['answer']>;

/** One REST call: its caller is known and may make it, its input has been validated. */
export type Call<N extends RouteName> = {
  readonly params: Params<N>;
  readonly query: Query<N>;
  readonly body: Body<N>;
  readonly caller: Caller;
  /** The client's network address. */
  readonly address: string;
  /** When the call was made, in ms since the epoch. */
  readonly now: number;
};

/** What handlers work with. */
export type Edge = {
  readonly house: House;
  readonly keys: Keys;
  readonly limits: Limits;
};

/** Carries out a call and answers what the route's schema says. Throws a `Refusal` for what the caller cannot have. */
export type Handler<N extends RouteName> = (edge: Edge, call: Call<N>) => Promise<Answer<N>>;

/** One handler for each of the routes named; by default for all of them. */
export type Handlers<N extends RouteName = RouteName> = { readonly [K in N]: Handler<K> };

/** The names of the parameters in a path, in order. */
export function paramNames(path: string): string[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, name]) => name ?? '');
}

/** Every path parameter is an identifier. */
export const paramSchema = identifier;

export const routeNames = Object.keys(routes) as RouteName[];
