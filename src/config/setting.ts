/** What a setting is, and how the values of settings are read. */

export interface Setting {
  /** The environment variable; the option is made of it: `NADI_BASE_URL`, `--base-url`. */
  env: string
  values: string
  /** As it would be written; empty where there is none. */
  default: string
  meaning: string
  /** The value is never shown, not even where it is wrong. */
  secret?: true
  /** Returns the value, or undefined for a bad one. */
  read: (text: string) => unknown
}

/** Returns the reader of whole numbers within bounds. */
export const integer =
  (min: number, max: number) =>
  (text: string): number | undefined => {
    const value = /^[0-9]{1,12}$/.test(text) ? Number(text) : Number.NaN
    return value >= min && value <= max ? value : undefined
  }

/** Returns the reader of one of some words. */
export const choice =
  <T extends string>(...values: T[]) =>
  (text: string): T | undefined =>
    values.find(value => value === text)

/** Returns a setting whose value is a whole number. */
export const limit = (
  env: string,
  unit: string,
  standard: number,
  meaning: string,
  min = 1,
  max = 1e10,
): Setting => ({
  env,
  values: unit,
  default: String(standard),
  meaning,
  read: integer(min, max),
})

/** Returns a text as it is. */
export const text = (value: string): string => value

/** Reads an http(s) URL; returns it without a slash at the end. */
export function baseUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  if (!['http:', 'https:'].includes(url.protocol) || url.search || url.hash || url.username || url.password)
    return undefined
  // Routes are made of the path, so it must hold none of their own signs.
  if (!/^[A-Za-z0-9/._~-]*$/.test(url.pathname)) return undefined
  return url.origin + url.pathname.replace(/\/+$/, '')
}
