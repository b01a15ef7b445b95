/** Listening, with what to do where the port cannot be had. */
import type { Application } from '../application.ts';

/** Listens and answers the port. Throws an error that says what to set, `variable`, when it is taken. */
export async function listenOn(
  application: Pick<Application, 'listen'>,
  port: number,
  variable = 'PORT',
): Promise<number> {
  try {
    return await application.listen(port);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new Error(`Port ${port} is taken; set ${variable} to another one.`);
  }
}
