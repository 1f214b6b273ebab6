/** The properties of a concept as they come together: names from files may be any text. */

export interface Properties {
  /** Adds a value once. */
  add(name: string, value: string): void
  /** Returns them with the values in the order in which they came. */
  all(): Record<string, string[]>
}

export function createProperties(): Properties {
  const found = new Map<string, string[]>()
  return {
    add(name, value) {
      const values = found.get(name)
      if (values === undefined) found.set(name, [value])
      else if (!values.includes(value)) values.push(value)
    },
    all: () => Object.fromEntries(found),
  }
}
