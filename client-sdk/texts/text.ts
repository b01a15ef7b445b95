/** A text in every language, and how one is said. */
import type { Language } from '../contract/index.ts';

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
