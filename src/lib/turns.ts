/** Lets works of this process that want the same names go one after another, where they would only refuse each other in the database. */

export type InTurn = <T>(names: readonly string[], work: (waited: boolean) => Promise<T>) => Promise<T>

/** Returns a function that runs the work when no earlier one with any of its names is running; the work hears whether it waited. */
export function createTurns(): InTurn {
  /** The end of the last work of each name. */
  const tails = new Map<string, Promise<void>>()
  return async (names, work) => {
    if (names.length === 0) return work(false)
    let release = (): void => {}
    const done = new Promise<void>(resolve => {
      release = resolve
    })
    const before = names.map(name => tails.get(name))
    // Taken all at once, so two works never wait for each other.
    for (const name of names) tails.set(name, done)
    try {
      await Promise.all(before)
      return await work(before.some(tail => tail !== undefined))
    } finally {
      release()
      for (const name of names) if (tails.get(name) === done) tails.delete(name)
    }
  }
}
