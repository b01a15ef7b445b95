/** The one catalogue of errors: its code, its HTTP status, and what it tells the user to do, in both languages. */
import { z } from 'zod';

export const errorCatalogue = {
  invalid: {
    status: 400,
    en: 'The request is not what this call takes; see details for the fields and correct them.',
    zh: '请求内容不符合此接口的要求，请按 details 中列出的字段修改后重试。',
  },
  unauthorized: {
    status: 401,
    en: 'The token or key is missing, expired or not valid; log in again or ask for a new token.',
    zh: '令牌或密钥缺失、过期或无效，请重新登录或获取新的令牌。',
  },
  forbidden: {
    status: 403,
    en: 'This account may not do that; ask a supervisor or the owner of the shop.',
    zh: '当前账号无权执行此操作，请联系客服主管或店铺主账号。',
  },
  'not-found': {
    status: 404,
    en: 'There is no such thing here; check the identifier.',
    zh: '未找到该对象，请检查标识是否正确。',
  },
  conflict: {
    status: 409,
    en: 'The state has changed or does not allow this; look at the present state and try again.',
    zh: '当前状态不允许此操作或状态已变化，请查看最新状态后重试。',
  },
  'too-large': {
    status: 413,
    en: 'The request is too large; send less.',
    zh: '请求内容过大，请缩减后重试。',
  },
  'rate-limited': {
    status: 429,
    en: 'Too many requests; wait a moment and try again.',
    zh: '请求过于频繁，请稍后再试。',
  },
  internal: {
    status: 500,
    en: 'Something went wrong on our side and has been logged; try again.',
    zh: '服务内部出错，已记录日志，请重试。',
  },
  unavailable: {
    status: 503,
    en: 'The service cannot answer right now; try again in a moment.',
    zh: '服务暂时不可用，请稍后重试。',
  },
} as const;

export type ErrorCode = keyof typeof errorCatalogue;
export const errorCode = z.enum(Object.keys(errorCatalogue) as [ErrorCode, ...ErrorCode[]]);

/** What a caller gets when a call fails. `details` names the offending paths of an `invalid`. */
export const failure = z.object({ code: errorCode, message: z.string(), details: z.unknown().optional() });
export type Failure = z.infer<typeof failure>;

/** An expected refusal: carries a code of the catalogue, and optionally a sentence that says more than the catalogue can. */
export class Refusal extends Error {
  readonly code: ErrorCode;
  readonly details: unknown;

  constructor(code: ErrorCode, says?: string, details?: unknown) {
    super(says ?? errorCatalogue[code].en);
    this.name = 'Refusal';
    this.code = code;
    this.details = details;
  }
}

export type Language = 'en' | 'zh';

/** The refusal as it goes over the wire, in the caller's language. */
export function failureOf(refusal: Refusal, language: Language = 'en'): Failure {
  const message = language === 'zh' ? errorCatalogue[refusal.code].zh : refusal.message;
  return refusal.details === undefined
    ? { code: refusal.code, message }
    : { code: refusal.code, message, details: refusal.details };
}

/** What is wrong with an input, as a refusal with the paths that offend. */
export function invalid(error: z.ZodError): Refusal {
  const details = error.issues.slice(0, 20).map((issue) => ({
    path: issue.path.map(String).join('.').slice(0, 200),
    problem: issue.message.slice(0, 300),
  }));
  return new Refusal('invalid', undefined, details);
}
