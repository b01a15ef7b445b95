/** Work on a shop is done in turns of bounded length, so that a shop in which much is due does not keep others waiting. */

/** What a turn has left; `more` where it stopped at its bound, and another one may find something to do. */
export type Turn = { readonly more: boolean };

/** One turn after another until nothing is left. Throws what a turn throws. */
export async function untilDone(turn: () => Promise<Turn>): Promise<void> {
  while ((await turn()).more);
}
