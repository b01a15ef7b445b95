/** Words of the contract: presences, states, orders, roles. */
import type { ConversationState, OrderState, Presence, PresenceCause, Role } from '../contract/index.ts';
import type { Text } from './text.ts';

export const presenceTexts: Readonly<Record<Presence, Text>> = {
  online: { en: 'online', zh: '在线' },
  'hung-up': { en: 'hung up', zh: '挂起' },
  offline: { en: 'offline', zh: '离线' },
};

export const presenceCauseTexts: Readonly<Record<PresenceCause, Text>> = {
  chose: { en: 'chosen', zh: '本人设置' },
  connected: { en: 'connected', zh: '已连接' },
  'lost-connection': { en: 'lost the connection', zh: '连接断开' },
  supervisor: { en: 'set by a supervisor', zh: '主管设置' },
  'auto-hang-up': {
    en: "by the shop's rule: as many conversations as are allowed, or no reply in time",
    zh: '按店铺规则自动挂起：接待数已达上限，或超时未回复',
  },
  'auto-resume': { en: "back by the shop's rule", zh: '按店铺规则自动恢复' },
};

export const stateTexts: Readonly<Record<ConversationState, Text>> = {
  robot: { en: 'with the robot', zh: '机器人接待中' },
  queued: { en: 'in the queue', zh: '排队中' },
  pooled: { en: 'left a message', zh: '留言待处理' },
  assigned: { en: 'with an agent', zh: '人工接待中' },
  closed: { en: 'closed', zh: '已结束' },
};

export const orderStateTexts: Readonly<Record<OrderState, Text>> = {
  none: { en: 'no order', zh: '未下单' },
  unpaid: { en: 'unpaid', zh: '待付款' },
  paid: { en: 'paid', zh: '已付款' },
  shipped: { en: 'shipped', zh: '已发货' },
  completed: { en: 'completed', zh: '已完成' },
  'after-sales': { en: 'after-sales', zh: '售后中' },
};

export const roleTexts: Readonly<Record<Role, Text>> = {
  owner: { en: 'owner', zh: '主账号' },
  supervisor: { en: 'supervisor', zh: '客服主管' },
  agent: { en: 'agent', zh: '客服' },
};
