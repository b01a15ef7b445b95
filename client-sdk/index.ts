/**
 * The client SDK of Fenliu, for browsers and Node: `BuyerClient` for a shop's chat window, `AgentClient` for the desk of
 * its agents and for robots, `visitor` and `logIn` for their tokens; `verifyWebhook` for robots that are called over HTTP instead. The contract comes as types
 * only, so that no schema gets into a page.
 */
export { AgentClient, type AgentClientEvents, type AgentClientOptions } from './agent-client.ts';
export { BuyerClient, type BuyerClientEvents, type BuyerClientOptions } from './buyer-client.ts';
export type { ConnectionRefused, ConnectionStatus } from './channel.ts';
export type { ClientOptions, CommandOptions, ConnectionEvents, ListOptions } from './chat-client.ts';
export { CommandError, type CommandErrorCode } from './command-error.ts';
export type { AnswerOf, DataOf } from './commands.ts';
export type * from './contract/index.ts';
export { type KeptSession, logIn, resumeSession, type Session, type SessionOptions } from './session.ts';
export { verifyWebhook, type WebhookCheck } from './verify-webhook.ts';
export { type KeptVisitor, type Visitor, type VisitorOptions, visitor } from './visitor.ts';
