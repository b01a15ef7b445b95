/** The demo page and the SDK for browsers, bundled from their sources when the process starts. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { Router } from 'express';

const sdkFolder = new URL('../../../client-sdk/', import.meta.url);

/** One ES module for browsers. Throws what esbuild finds wrong. */
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

/** `/` the demo page; `/sdk/fenliu.js` the SDK, for any page to import. */
export async function createPages(): Promise<Router> {
  const [page, style, demo, sdk] = await Promise.all([
    readFile(new URL('demo/index.html', sdkFolder), 'utf8'),
    readFile(new URL('demo/demo.css', sdkFolder), 'utf8'),
    bundle('demo/demo.ts'),
    bundle('index.ts'),
  ]);
  const files: [path: string, type: string, text: string][] = [
    ['/', 'html', page],
    ['/demo.css', 'css', style],
    ['/demo.js', 'js', demo],
    ['/sdk/fenliu.js', 'js', sdk],
  ];
  const router = Router();
  for (const [path, type, text] of files) {
    router.get(path, (_request, response) => {
      response.type(type).set('Cache-Control', 'no-cache').send(text);
    });
  }
  return router;
}
