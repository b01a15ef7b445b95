/**
 * Everything a user reads, in every language, in one place. The types see to it: a text without one of the languages,
 * or a word of the contract without a text, does not compile.
 */
import type {
  ConversationState,
  Language,
  MoveCause,
  OrderState,
  Outcome,
  Presence,
  PresenceCause,
  Role,
  StepName,
} from './contract/index.ts';

/** One text in every language. `{name}` marks what `inLanguage` puts in. */
export type Text = Readonly<Record<Language, string>>;

/** The text in one language, its `{…}` marks replaced by `values`. */
export function inLanguage(
  text: Text,
  language: Language,
  values: Readonly<Record<string, string | number>> = {},
): string {
  return text[language].replace(/\{(\w+)\}/g, (mark, name: string) => String(values[name] ?? mark));
}

/** What ends a command or a connection on the client's side of the wire. */
export const connectionTexts = {
  closed: {
    en: 'The connection was closed on this side; connect again.',
    zh: '连接已在本端关闭，请重新连接。',
  },
  timeout: {
    en: 'There was no answer in time; try again.',
    zh: '等待响应超时，请重试。',
  },
  'too-large': {
    en: 'The request is too large; send less.',
    zh: '请求内容过大，请缩减后重试。',
  },
  'too-many': {
    en: 'Too much waits to be sent already; try again when some of it has gone through.',
    zh: '待发送的内容过多，请等部分发送完成后再试。',
  },
} as const satisfies Record<string, Text>;

/** What a REST call says that was not answered as the server answers. */
export const restTexts = {
  unreachable: {
    en: 'The server cannot be reached; see whether it is running, then try again.',
    zh: '无法连接服务器，请确认服务已启动后重试。',
  },
} as const satisfies Record<string, Text>;

/** What the night proxy says where no rule of its file matches; see `night-proxy/answer.ts` for the marks. */
export const nightTexts = {
  night: {
    en: 'Thank you for writing. We open at {opensAt}; you are number {number} in the line, and a colleague will answer you then. You can already write down all that we should know.',
    zh: '您好，感谢您的留言。我们 {opensAt} 开始营业，您排在第 {number} 位，届时客服会尽快回复您。您可以先写下需要我们了解的情况。',
  },
  morning: {
    en: 'We are open now; you are number {number} in the line of those who wrote during the night, and a colleague will answer you as soon as possible.',
    zh: '我们已开始营业，您在夜间留言中排第 {number} 位，客服会尽快回复您。',
  },
} as const satisfies Record<string, Text>;

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

/** The labels of the chat window and of the agent's desk. */
export const pageTexts = {
  title: { en: 'Fenliu', zh: '分流' },
  tagline: { en: 'Demo shop: a buyer beside an agent', zh: '演示店铺：买家与客服同屏' },
  language: { en: '中文', zh: 'English' },
  sides: { en: 'What is shown', zh: '显示内容' },
  bothSides: { en: 'Both', zh: '双方' },
  // Logging in.
  logIn: { en: 'Log in', zh: '登录' },
  logOut: { en: 'Log out', zh: '退出登录' },
  shop: { en: 'Shop', zh: '店铺' },
  account: { en: 'Account', zh: '账号' },
  password: { en: 'Password', zh: '密码' },
  logInFailed: {
    en: 'Shop, account or password is not right; correct it and log in again.',
    zh: '店铺、账号或密码不正确，请更正后重试。',
  },
  sessionEnded: { en: 'Your session has ended; please log in again.', zh: '登录已失效，请重新登录。' },
  demoAccounts: {
    en: 'Demo accounts, all with the password {password}:',
    zh: '演示账号（密码均为 {password}）：',
  },
  deskHint: {
    en: 'Log in, go online, then start a chat as a buyer. In another tab you can be another agent.',
    zh: '登录并切换为在线，再以买家身份发起咨询；另开标签页可登录另一位客服。',
  },
  // Both sides.
  send: { en: 'Send', zh: '发送' },
  typeMessage: { en: 'Type a message', zh: '请输入消息' },
  messageKeys: { en: 'Enter sends, Shift+Enter begins a new line', zh: 'Enter 发送，Shift+Enter 换行' },
  messageTooLong: {
    en: 'A message takes {most} characters at most, and this one has {n}; shorten it or send it in parts.',
    zh: '每条消息最多 {most} 字，当前 {n} 字，请缩短或分条发送。',
  },
  messages: { en: 'Messages', zh: '消息' },
  noMessages: { en: 'No messages yet', zh: '暂无消息' },
  messagesFailed: { en: 'The messages could not be loaded: {why}', zh: '消息加载失败：{why}' },
  tryAgain: { en: 'Try again', zh: '重试' },
  you: { en: 'You', zh: '我' },
  notice: { en: 'Notice', zh: '系统消息' },
  typing: { en: '{name} is typing …', zh: '{name} 正在输入…' },
  seen: { en: 'Seen', zh: '已读' },
  sending: { en: 'Sending …', zh: '发送中…' },
  notSent: { en: 'Not sent – try again', zh: '发送失败，点击重试' },
  earlier: { en: 'Earlier messages', zh: '更早的消息' },
  close: { en: 'Close', zh: '结束会话' },
  connectionLost: { en: 'Connection lost – reconnecting …', zh: '连接已断开，正在重新连接…' },
  // The buyer's chat.
  buyerChat: { en: 'Buyer', zh: '买家' },
  startChatAs: { en: 'Start a chat as', zh: '以此身份发起咨询' },
  visitor: { en: 'Visitor', zh: '访客' },
  visitorCalled: { en: 'Visitor {id}', zh: '访客 {id}' },
  newVisitor: { en: 'anonymous, new each time', zh: '匿名，每次均为新访客' },
  vipBuyer: { en: 'VIP, belongs to Anna', zh: 'VIP，专属客服 Anna' },
  knownBuyer: { en: 'known to the shop', zh: '店铺已知买家' },
  youAre: { en: 'You are {name}', zh: '当前身份：{name}' },
  changeBuyer: { en: 'Be somebody else', zh: '切换身份' },
  noDemoShop: {
    en: 'This server has no demo shop; start it without DEMO=0 to play here.',
    zh: '此服务器未启用演示店铺，请去掉 DEMO=0 后重新启动。',
  },
  buyerSessionEnded: { en: 'This chat is no longer valid; start again.', zh: '此身份已失效，请重新开始。' },
  product: { en: 'Product', zh: '商品' },
  noProduct: { en: 'none', zh: '无' },
  productRule: {
    en: 'A product is named by at most 64 letters, digits, “-”, “_” or “.”; or leave it empty.',
    zh: '商品标识最多 64 位，仅限字母、数字、“-”、“_”、“.”，也可留空。',
  },
  intent: { en: 'What it is about', zh: '咨询意图' },
  orderState: { en: 'Order', zh: '订单状态' },
  notSaid: { en: 'not said', zh: '未提供' },
  openChat: { en: 'Open the chat', zh: '联系客服' },
  openAgain: { en: 'Open it again', zh: '再次联系' },
  openHint: {
    en: 'Open the chat: the dispatcher finds the right agent.',
    zh: '点击“联系客服”，系统将为您分配合适的客服。',
  },
  talkToHuman: { en: 'Talk to a human', zh: '转人工' },
  talkingTo: { en: 'You are talking to {name}', zh: '{name} 正在为您服务' },
  talkingToRobot: { en: 'The robot {name} is answering', zh: '机器人 {name} 正在为您服务' },
  inQueue: { en: 'Waiting in the queue – you are number {n}', zh: '排队中，您排在第 {n} 位' },
  inQueueAbout: {
    en: 'Waiting in the queue – you are number {n}, about {time}',
    zh: '排队中，您排在第 {n} 位，预计约 {time}',
  },
  leaveMessageInstead: { en: 'Leave a message instead', zh: '不等了，留言' },
  leftMessage: {
    en: 'Leave your message here – we will answer as soon as someone is here',
    zh: '请留言，客服上线后会尽快回复您',
  },
  chatClosed: { en: 'This conversation has ended', zh: '会话已结束' },
  rateUs: { en: 'How was it?', zh: '请对本次服务评分' },
  ratingOf: { en: '{n} of 5', zh: '{n} 分（满分 5 分）' },
  ratingThanks: { en: 'Thank you!', zh: '感谢您的评价！' },
  // The agent's desk.
  agentDesk: { en: 'Agent', zh: '客服' },
  workbench: { en: 'Agent workbench', zh: '客服工作台' },
  presence: { en: 'Presence', zh: '在线状态' },
  presenceWhy: { en: '{presence}: {cause}', zh: '{presence}：{cause}' },
  pending: { en: 'Pending {n}', zh: '待回复 {n}' },
  active: { en: 'Active {n}', zh: '接待中 {n}' },
  conversations: { en: 'Conversations', zh: '会话' },
  waitingSince: { en: 'waiting {time}', zh: '已等待 {time}' },
  answered: { en: 'no reply due', zh: '无待回复' },
  slowReply: { en: 'waits too long', zh: '回复超时' },
  overnight: { en: 'overnight', zh: '夜间' },
  noConversations: { en: 'No conversations yet', zh: '暂无会话' },
  goOnline: { en: 'Go online to be given buyers', zh: '切换为在线后即可接待买家' },
  chooseConversation: { en: 'Choose a conversation', zh: '请选择会话' },
  came: { en: '{buyer} is with you now: {cause}', zh: '{buyer} 已分配给您：{cause}' },
  went: { en: '{buyer} is no longer with you: {cause}', zh: '{buyer} 已离开：{cause}' },
  wentTo: { en: '{buyer} is now with {name}: {cause}', zh: '{buyer} 已转至 {name}：{cause}' },
  transfer: { en: 'Transfer', zh: '转接' },
  transferTo: { en: 'Transfer to', zh: '转接给' },
  colleagues: { en: 'Colleagues', zh: '同事' },
  groups: { en: 'Groups', zh: '客服分组' },
  note: { en: 'Note for the colleague', zh: '转接备注' },
  noteSaid: { en: 'Note: {note}', zh: '备注：{note}' },
  overnightSince: { en: 'Came in overnight, at {time}.', zh: '夜间 {time} 进线。' },
  proxySaid: { en: '{name} said last: {text}', zh: '{name} 最后回复：{text}' },
  cancel: { en: 'Cancel', zh: '取消' },
  pool: { en: 'Left messages', zh: '留言池' },
  poolEmpty: { en: 'none', zh: '暂无' },
  claim: { en: 'Claim', zh: '领取' },
  claimFrom: { en: 'Claim {buyer}', zh: '领取 {buyer}' },
  queue: { en: 'Queue', zh: '排队' },
  handover: { en: 'Hand over to a human', zh: '转人工' },
  whyMe: { en: 'Why did this buyer come to me?', zh: '为什么这位买家分配给我？' },
  whyCause: { en: 'It came to you at {time}: {cause}.', zh: '{time} 分配给您：{cause}。' },
  whyByPerson: {
    en: 'A person decided that: {cause}. Before, the dispatcher had sent the buyer {outcome}:',
    zh: '由人工决定：{cause}。此前系统的处理为“{outcome}”，过程如下：',
  },
  whyUnknown: {
    en: 'This browser tab was not there when it was decided, so it does not know. The trace is kept with the assignment.',
    zh: '分配时此标签页尚未打开，无法显示；分配过程已随分配记录保存。',
  },
  won: { en: 'decided', zh: '命中' },
  passed: { en: 'passed over', zh: '跳过' },
} as const satisfies Record<string, Text>;
