/** The outside surface of Fenliu, imported by server and clients alike. */
export * from './audit.ts';
export * from './entities.ts';
export * from './errors.ts';
export * from './rest.ts';
export * from './settings.ts';
export * from './sockets.ts';
export * from './sync.ts';
export * from './webhooks.ts';
export * from './words.ts';
