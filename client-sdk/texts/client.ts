/** What clients and the night proxy say by themselves. */
import type { Text } from './text.ts';

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
