/** The operator's board of jobs, behind the admin key: what waits, what failed and why, and doing it again. */
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import type { Express, Request, RequestHandler } from 'express';
import helmet from 'helmet';
import { Refusal } from '../../../client-sdk/contract/index.ts';
import { isAdminKey, type Keys } from '../../services/access.ts';
import type { House } from '../../services/house.ts';
import type { QueueHandles } from '../../services/job-queues.ts';
import type { Limits } from '../../services/limits.ts';
import { within } from '../time-limit.ts';
import { passwordOf } from './credential.ts';
import { answerTo, sendRefusal } from './failures.ts';

export const BOARD_PATH = '/admin/jobs';

/** How long Redis may take before the board says that it cannot be asked, in ms. */
const REDIS_TIME_MS = 2_000;

export type JobsBoardParts = {
  readonly house: House;
  readonly keys: Keys;
  readonly limits: Limits;
  readonly queues: QueueHandles;
};

/** Stricter than elsewhere: scripts and data of our own only, and nobody else's page may show or embed any of it. */
const securityHeaders = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      // The board sets styles on its elements.
      styleSrc: ["'self'", "'unsafe-inline'"],
      imgSrc: ["'self'", 'data:'],
      fontSrc: ["'self'", 'data:'],
      connectSrc: ["'self'"],
      baseUri: ["'self'"],
      formAction: ["'self'"],
      frameAncestors: ["'none'"],
    },
  },
  xFrameOptions: { action: 'deny' },
  strictTransportSecurity: false,
});

/**
 * A browser sends the password it knows along with whatever any page makes it ask. Reading is guarded by its rules for
 * origins; what changes something has to come from the board itself. Programs send neither header.
 */
function mustBeOwnPage(request: Request): void {
  if (request.method === 'GET' || request.method === 'HEAD') return;
  const site = request.get('sec-fetch-site');
  const origin = request.get('origin');
  const own = site === undefined ? origin === undefined || origin.endsWith(`//${request.get('host')}`) : undefined;
  if (own ?? (site === 'same-origin' || site === 'none')) return;
  throw new Refusal('forbidden', 'Jobs are changed from the page of the board only; open it and try there.');
}

/** The page asks for fonts of another host; it is shown in those of the system instead. */
const withoutForeignFonts = (html: string) => html.replace(/<link[^>]*href="https:[^>]*>/g, '');

type Render = (error: unknown, html?: string) => void;
type Engine = (path: string, options: object, callback: Render) => void;

function createBoard(queues: QueueHandles): Express {
  const adapter = new ExpressAdapter().setBasePath(BOARD_PATH);
  createBullBoard({
    queues: queues.all().map((queue) => new BullMQAdapter(queue)),
    serverAdapter: adapter,
    options: { uiConfig: { boardTitle: 'Fenliu jobs', hideDocsLink: true } },
  });
  const board = adapter.getRouter() as Express & { engines: Record<string, Engine> };
  board.disable('x-powered-by');
  const render = board.engines['.ejs'];
  if (!render) throw new Error('bull-board no longer renders its page with ejs');
  board.engine('.ejs', (path, options, callback) =>
    render(path, options, (error, html = '') => callback(error, withoutForeignFonts(html))),
  );
  return board;
}

/** Everything below `BOARD_PATH`. HTTP Basic with any user name, or a bearer credential; the password is the admin key. */
export function createJobsBoard({ house, keys, limits, queues }: JobsBoardParts): RequestHandler[] {
  let board: Express | undefined;

  const gate: RequestHandler = async (request, response, next) => {
    response.locals.route = BOARD_PATH;
    response.set('Cache-Control', 'no-store');
    try {
      response.set('WWW-Authenticate', 'Basic realm="Fenliu jobs; the password is the admin key", charset="UTF-8"');
      const password = passwordOf(request);
      if (password === undefined) throw new Refusal('unauthorized');
      await limits.adminKey(request.ip ?? '', isAdminKey(keys, password));
      response.removeHeader('WWW-Authenticate');
      mustBeOwnPage(request);
      await within(REDIS_TIME_MS, house.redis.ping());
    } catch (error) {
      sendRefusal(request, response, answerTo(error, house.log, { page: BOARD_PATH }));
      return;
    }
    next();
  };

  return [
    securityHeaders,
    gate,
    (request, response, next) => {
      board ??= createBoard(queues);
      board(request, response, next);
    },
  ];
}
