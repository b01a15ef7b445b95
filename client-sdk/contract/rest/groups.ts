/** Groups of agents. */
import { z } from 'zod';
import { group, groupPut } from '../entities.ts';
import { done } from './parts.ts';
import { owners, type Route, staff } from './route.ts';

export const groups = {
  listGroups: {
    method: 'get',
    path: '/shops/:shop/groups',
    summary: 'All groups',
    who: staff,
    answer: z.object({ groups: z.array(group) }),
  },
  getGroup: { method: 'get', path: '/shops/:shop/groups/:group', summary: 'One group', who: staff, answer: group },
  putGroup: {
    method: 'put',
    path: '/shops/:shop/groups/:group',
    summary: 'Create or replace a group',
    who: owners,
    audited: ['group:created', 'group:changed'],
    body: groupPut,
    answer: group,
  },
  deleteGroup: {
    method: 'delete',
    path: '/shops/:shop/groups/:group',
    summary: 'Remove a group; its members stay',
    who: owners,
    audited: ['group:removed'],
    answer: done,
  },
} as const satisfies Record<string, Route>;
