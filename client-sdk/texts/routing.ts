/** Where a buyer went and why, as a trace tells it. */
import type { MoveCause, Outcome, StepName } from '../contract/index.ts';
import type { Text } from './text.ts';

/** The ten steps of the routing chain, by name. */
export const stepTexts: Readonly<Record<StepName, Text>> = {
  'hot-contact': { en: 'Hot contact', zh: '最近联系人' },
  'night-shift': { en: 'Night shift', zh: '夜间代理' },
  'nobody-on-duty': { en: 'Nobody online', zh: '无人在线' },
  'warm-contact': { en: 'Warm contact', zh: '较早的联系人' },
  'exclusive-agent': { en: 'Exclusive agent', zh: '专属客服' },
  'shop-robot': { en: 'Shop robot', zh: '店铺机器人' },
  'group-robot': { en: 'Group robot', zh: '分组机器人' },
  group: { en: 'Group', zh: '客服分组' },
  widened: { en: 'Wider search', zh: '扩大范围' },
  full: { en: 'Everyone full', zh: '全员满额' },
};

/** Why a step of a trace won or passed. The same code serves several steps; the step says what it is about. */
export const whyTexts = {
  'recent-and-present': {
    en: 'The buyer spoke with or was sent to this agent recently, and the agent is here.',
    zh: '买家最近联系过该客服，且该客服在线或挂起。',
  },
  'no-contact': {
    en: 'The buyer has no recent contact.',
    zh: '买家没有最近联系人。',
  },
  'older-than-window': {
    en: 'The latest contact is too long ago to count here.',
    zh: '最近一次联系已超出时间窗口。',
  },
  'contact-offline': {
    en: 'The agent of the latest contact is offline.',
    zh: '最近联系的客服已离线。',
  },
  night: {
    en: 'It is night at the shop, so the night proxy receives the buyer.',
    zh: '当前为夜间时段，由夜间代理账号接待。',
  },
  'not-enabled': {
    en: 'The shop has not switched this on.',
    zh: '店铺未开启此功能。',
  },
  'no-proxy': {
    en: 'It is night at the shop, but no proxy is set.',
    zh: '当前为夜间时段，但未设置代理账号。',
  },
  'outside-window': {
    en: 'It is not night at the shop.',
    zh: '当前不在夜间时段。',
  },
  'nobody-online': {
    en: 'No agent of the shop is online, so the rule for left messages applies.',
    zh: '店铺没有客服在线，按留言规则处理。',
  },
  'someone-online': {
    en: 'At least one agent of the shop is online.',
    zh: '店铺有客服在线。',
  },
  'on-duty': {
    en: 'This agent is online and has room for one more buyer.',
    zh: '该客服在线且仍可接待。',
  },
  'hung-up-colleague': {
    en: 'The recent contact is hung up, so a colleague of the same group takes over.',
    zh: '最近联系的客服已挂起，由同组客服接待。',
  },
  'hung-up-shop': {
    en: 'The recent contact is hung up and nobody of the same group is on duty, so another agent of the shop takes over.',
    zh: '最近联系的客服已挂起且同组无人可接待，由店铺其他客服接待。',
  },
  'all-offline': {
    en: 'Every recent contact of the buyer is offline.',
    zh: '买家的最近联系人均已离线。',
  },
  'nobody-on-duty': {
    en: 'Nobody here is online with room for one more buyer.',
    zh: '此范围内没有在线且可接待的客服。',
  },
  'no-exclusive-agent': {
    en: 'The buyer has no exclusive agent.',
    zh: '买家没有专属客服。',
  },
  'not-on-duty': {
    en: "The buyer's exclusive agent is not online, or has no room for one more buyer.",
    zh: '买家的专属客服不在线或已满额。',
  },
  'robot-first': {
    en: 'In this shop the robot answers first.',
    zh: '店铺设置为机器人优先接待。',
  },
  'robot-away': {
    en: 'The robot is not connected, or has no room for one more buyer.',
    zh: '机器人不在线或已满额。',
  },
  'after-robot': {
    en: 'The buyer asked for a human or the robot handed over, so robots are left out.',
    zh: '机器人已转人工，不再由机器人接待。',
  },
  'group-robot-on': {
    en: 'In this group the robot answers first.',
    zh: '该分组已开启机器人接待。',
  },
  'next-in-turn': {
    en: "It was this agent's turn in the group, by level and load.",
    zh: '按客服等级与繁忙程度轮到该客服。',
  },
  'everyone-full': {
    en: 'Every agent who is online has as many buyers as they can take.',
    zh: '所有在线客服均已满额。',
  },
  'others-wait-first': {
    en: 'Other buyers were already waiting and come first.',
    zh: '已有其他买家在排队，先来先接待。',
  },
  'at-limit': {
    en: 'Whoever could take it has reached the limit of buyers waiting for a reply, or is not online.',
    zh: '可接待的客服待回复人数已达上限或不在线。',
  },
  'missed-it': {
    en: 'Whoever could take it has left this buyer without a reply before.',
    zh: '可接待的客服此前未及时回复该买家。',
  },
  'left-the-queue': {
    en: 'The buyer left the queue, so the rule for left messages applies.',
    zh: '买家已离开排队，按留言规则处理。',
  },
  'waited-too-long': {
    en: 'The wait in the queue reached the limit the shop has set, so the rule for left messages applies.',
    zh: '排队时间已达店铺设定的上限，按留言规则处理。',
  },
} as const satisfies Record<string, Text>;

/** A code of a trace item's `why`. */
export type WhyCode = keyof typeof whyTexts;

/** The sentence for a code as it comes over the wire; a code newer than this client is shown as it is. */
export function whyText(why: string): Text {
  return Object.hasOwn(whyTexts, why) ? whyTexts[why as WhyCode] : { en: why, zh: why };
}

export const outcomeTexts: Readonly<Record<Outcome, Text>> = {
  agent: { en: 'to an agent', zh: '分配给客服' },
  robot: { en: 'to the robot', zh: '分配给机器人' },
  proxy: { en: 'to the proxy', zh: '分配给代理账号' },
  owner: { en: 'to the owner', zh: '分配给主账号' },
  queue: { en: 'into the queue', zh: '进入排队' },
  pool: { en: 'into the pool of left messages', zh: '进入留言池' },
};

/** Why a conversation came or went. */
export const moveCauseTexts: Readonly<Record<MoveCause, Text>> = {
  open: { en: 'the buyer came in', zh: '买家进线' },
  'agent-offline': { en: 'the agent before went offline', zh: '原客服已离线' },
  'robot-handover': { en: 'from the robot to a person', zh: '机器人转人工' },
  queue: { en: 'from the queue', zh: '来自排队' },
  pool: { en: 'from the left messages', zh: '来自留言池' },
  morning: { en: 'from the night shift', zh: '夜间会话移交' },
  transfer: { en: 'transferred', zh: '转接' },
  'pool-claim': { en: 'claimed from the left messages', zh: '从留言池领取' },
  'no-reply': { en: 'no reply in time', zh: '超时未回复' },
  'queue-left': { en: 'left the queue', zh: '离开排队' },
  idle: { en: 'nothing more was said', zh: '长时间无消息' },
  closed: { en: 'closed', zh: '已结束' },
  erased: { en: 'the buyer was erased', zh: '买家数据已清除' },
};

/** The facts that a step of a trace may carry, by their name on the wire. */
export const factTexts: Readonly<Record<string, Text>> = {
  agent: { en: 'agent', zh: '客服' },
  contact: { en: 'recent contact', zh: '最近联系人' },
  group: { en: 'group', zh: '分组' },
  level: { en: 'level', zh: '等级' },
  pending: { en: 'waiting for this agent before', zh: '分配前待回复' },
  pass: { en: 'pass (the lowest is next)', zh: '轮转值（最小者优先）' },
  ageMs: { en: 'last contact', zh: '距上次联系' },
  presence: { en: 'presence', zh: '状态' },
  online: { en: 'agents online', zh: '在线客服数' },
  narrowedBy: { en: 'groups narrowed by', zh: '分组筛选依据' },
};

/** What narrowed the groups, as the words joined by `+` in a trace's `narrowedBy`. */
export const narrowingTexts: Readonly<Record<string, Text>> = {
  all: { en: 'nothing: all groups', zh: '无（全部分组）' },
  shop: { en: 'nothing: the whole shop', zh: '无（全店）' },
  crowd: { en: 'crowd', zh: '人群' },
  product: { en: 'product', zh: '商品' },
  intent: { en: 'intent', zh: '咨询意图' },
  'order-state': { en: 'order state', zh: '订单状态' },
};
