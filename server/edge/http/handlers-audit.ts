/** The call that shows who has changed what. */
import { listAudit } from '../../services/audit.ts';
import type { Handlers } from './call.ts';

export const auditHandlers: Handlers<'listAudit'> = {
  listAudit: ({ house }, { params, query }) => listAudit(house, params.shop, query),
};
