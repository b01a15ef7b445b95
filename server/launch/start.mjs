// `npm start`. One process, not `install && start`: npm passes SIGTERM only to the process of a script that is a
// single command. The TypeScript loader can be registered only once it is installed, hence the imports inside.
import { ensureInstalled } from './install.mjs';

try {
  await ensureInstalled();
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
const { register } = await import('tsx/esm/api');
register();
await import('./start.ts');
