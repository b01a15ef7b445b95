/** The demo page and the SDK for browsers, bundled from their sources when the process starts. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { Router } from 'express';

const sdkFolder = new URL('../../../client-sdk/', import.meta.url);

/** One ES module, or one style sheet, for browsers. Throws what esbuild finds wrong. */
async function bundle(entry: string): Promise<string> {
  const result = await build({
    entryPoints: [fileURLToPath(new URL(entry, sdkFolder))],
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    logLevel: 'silent',
  });
  return result.outputFiles[0]?.text ?? '';
}

type File = readonly [path: string, type: string, text: string];

function serve(router: Router, files: readonly File[]): Router {
  for (const [path, type, text] of files) {
    router.get(path, (_request, response) => {
      response.type(type).set('Cache-Control', 'no-cache').send(text);
    });
  }
  return router;
}

/** `/sdk/fenliu.js`: the SDK, for any page to import. All that production serves beside the API. */
export async function createSdkPages(): Promise<Router> {
  return serve(Router(), [['/sdk/fenliu.js', 'js', await bundle('index.ts')]]);
}

export type PagesParts = {
  /** A token of a demo buyer, for whoever asks. Throws `not-found` for any other buyer. Without it nobody is given any. */
  readonly demoBuyerToken?: (buyer: string) => Promise<string>;
};

/** The SDK; `/` the demo page; `POST /demo/buyers/:buyer/token` for the demo page. */
export async function createPages({ demoBuyerToken }: PagesParts = {}): Promise<Router> {
  const [page, style, demo, sdk] = await Promise.all([
    readFile(new URL('demo/index.html', sdkFolder), 'utf8'),
    bundle('demo/demo.css'),
    bundle('demo/demo.ts'),
    createSdkPages(),
  ]);
  const router = serve(Router(), [
    ['/', 'html', page],
    ['/demo.css', 'css', style],
    ['/demo.js', 'js', demo],
  ]);
  router.use(sdk);
  if (demoBuyerToken) {
    router.post('/demo/buyers/:buyer/token', async (request, response) => {
      response.set('Cache-Control', 'no-store').json({ token: await demoBuyerToken(request.params.buyer) });
    });
  }
  return router;
}
