/** JSON read by code of the tests' own, numbers as they are written, to compare what went in with what came out. */

/** A number as it is written. */
export class Written {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

export type Read = null | boolean | string | Written | Read[] | Map<string, Read>

const TOKEN = /[\s]*([{}[\],:]|"(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*|true|false|null)/y

/** Returns what a JSON text holds. Throws where it is no JSON. */
export function readTokens(text: string): Read {
  TOKEN.lastIndex = 0
  const next = (): string => {
    const token = TOKEN.exec(text)?.[1]
    if (token === undefined) throw new Error(`no JSON at ${TOKEN.lastIndex}`)
    return token
  }
  const value = (token: string): Read => {
    if (token === '{') {
      const object = new Map<string, Read>()
      for (let each = next(); each !== '}'; each = next()) {
        if (each === ',') continue
        next()
        object.set(JSON.parse(each), value(next()))
      }
      return object
    }
    if (token === '[') {
      const list: Read[] = []
      for (let each = next(); each !== ']'; each = next()) if (each !== ',') list.push(value(each))
      return list
    }
    if (token[0] === '"') return JSON.parse(token)
    if (token === 'true' || token === 'false') return token === 'true'
    return token === 'null' ? null : new Written(token)
  }
  return value(next())
}

/** Returns it without the members that the paths name, and without what is empty then. */
export function without(read: Read, paths: readonly string[]): Read {
  for (const path of paths) {
    const [first, second] = path.split('.') as [string, string | undefined]
    if (!(read instanceof Map)) continue
    const inner = read.get(first)
    if (second === undefined) read.delete(first)
    else if (inner instanceof Map) {
      inner.delete(second)
      if (inner.size === 0) read.delete(first)
    }
  }
  return read
}

/** Returns the first place where two differ, or undefined; the order of members does not count. */
export function differenceOf(before: Read, after: Read | undefined, place = ''): string | undefined {
  if (before instanceof Written)
    return after instanceof Written && after.text === before.text ? undefined : `${place} was ${before.text}`
  if (Array.isArray(before)) {
    if (!Array.isArray(after) || after.length !== before.length)
      return `${place} was a list of ${before.length}`
    for (const [n, each] of before.entries()) {
      const found = differenceOf(each, after[n], `${place}[${n}]`)
      if (found) return found
    }
    return undefined
  }
  if (before instanceof Map) {
    if (!(after instanceof Map)) return `${place} was an object`
    for (const name of after.keys()) if (!before.has(name)) return `${place}.${name} was not there`
    for (const [name, each] of before) {
      const found = differenceOf(each, after.get(name), `${place}.${name}`)
      if (found) return found
    }
    return undefined
  }
  return Object.is(before, after) ? undefined : `${place} was ${JSON.stringify(before)}`
}
