/** REST calls of the page, to its own server, in its language. */
import { restAt } from '../rest-call.ts';
import { language } from './language.ts';

export const call = restAt(location.origin, language);
/** What the server has for this page alone. */
export const callDemo = restAt(location.origin, language, '/demo');
