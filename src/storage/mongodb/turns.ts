/** Lets commits of this process that want the same names go one after another, where they would only refuse each other in the database. */

/** Returns a function that runs the work when no earlier one with any of its names is running. */
export function createTurns(): <T>(names: readonly string[], work: () => Promise<T>) => Promise<T> {
  /** The end of the last work of each name. */
  const tails = new Map<string, Promise<void>>()
  return async (names, work) => {
    if (names.length === 0) return work()
    let release = (): void => {}
    const done = new Promise<void>(resolve => {
      release = resolve
    })
    const before = names.map(name => tails.get(name))
    // Taken all at once, so two works never wait for each other.
    for (const name of names) tails.set(name, done)
    try {
      await Promise.all(before)
      return await work()
    } finally {
      release()
      for (const name of names) if (tails.get(name) === done) tails.delete(name)
    }
  }
}
