/**
 * Everything a user reads, in every language, in one place. The types see to it: a text without one of the languages,
 * or a word of the contract without a text, does not compile. Errors of the server are in `contract/errors.ts`.
 */
export * from './texts/client.ts';
export * from './texts/page.ts';
export * from './texts/routing.ts';
export * from './texts/text.ts';
export * from './texts/words.ts';
