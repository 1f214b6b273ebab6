/**
 * Templates: texts with `{name}` where a value stands, and `[...]` around a part that is left out where a value in it is missing.
 * `[[`, `]]`, `{{` and `}}` write the sign itself.
 */

/** The texts of one event in one language; `text` serves every channel that has none of its own name. */
export interface Template {
  /** Of mails. */
  subject?: string
  text: string
  /** Texts of channels by their name: `email`. */
  [channel: string]: string | undefined
}

/** Texts by event, `event.variant`, or either with the role it speaks to behind a slash: `booked/practitioner`. */
export type Texts = Readonly<Record<string, Template>>

/** Languages (BCP 47) of a set. */
export type TemplateSet = Readonly<Record<string, Texts>>

/** Sets by their name: `standard` is the one that all others fall back to. */
export type Templates = Readonly<Record<string, TemplateSet>>

export type Values = Readonly<Record<string, string>>

type Part = string | { name: string } | { optional: readonly Part[] }

/** Returns the parts of a template. Throws Error with a sentence that names the fault. */
export function parseTemplate(template: string): readonly Part[] {
  const signs = template.match(/\[\[|\]\]|\{\{|\}\}|[[\]{}]|[^[\]{}]+/g) ?? []
  const parts: Part[] = []
  let inside: Part[] | undefined
  const add = (part: Part): unknown => (inside ?? parts).push(part)
  for (let i = 0; i < signs.length; i++) {
    const sign = signs[i]!
    if (/^(\[\[|\]\]|\{\{|\}\})$/.test(sign)) add(sign[0]!)
    else if (sign === '{') {
      const name = signs[i + 1] ?? ''
      if (!/^[A-Za-z][\w-]*$/.test(name) || signs[i + 2] !== '}')
        throw new Error('a { is not followed by a name and }')
      add({ name })
      i += 2
    } else if (sign === '[') {
      if (inside !== undefined) throw new Error('a [ stands inside [...]')
      inside = []
    } else if (sign === ']') {
      if (inside === undefined) throw new Error('a ] has no [')
      parts.push({ optional: inside })
      inside = undefined
    } else if (sign === '}') throw new Error('a } has no {')
    else add(sign)
  }
  if (inside !== undefined) throw new Error('a [ has no ]')
  return parts
}

const parsed = new Map<string, readonly Part[]>()

/** What is known of texts is kept, for there are few. */
function partsOf(template: string): readonly Part[] {
  let parts = parsed.get(template)
  if (parts === undefined) {
    parts = parseTemplate(template)
    if (parsed.size < 2000) parsed.set(template, parts)
  }
  return parts
}

const flat = (parts: readonly Part[]): Part[] =>
  parts.flatMap(part => (typeof part === 'object' && 'optional' in part ? flat(part.optional) : [part]))

/** Returns the names of the values that a template shows. */
export const namesIn = (template: string): Set<string> =>
  new Set(
    flat(partsOf(template)).flatMap(part => (typeof part === 'object' && 'name' in part ? [part.name] : [])),
  )

/** Returns the text; a value that is missing is empty. */
export function render(template: string, values: Values): string {
  const shown = (name: string): string => (Object.hasOwn(values, name) ? values[name]! : '')
  const write = (part: Part): string => {
    if (typeof part === 'string') return part
    if ('name' in part) return shown(part.name)
    const whole = part.optional.every(
      one => typeof one === 'string' || !('name' in one) || shown(one.name) !== '',
    )
    return whole ? part.optional.map(write).join('') : ''
  }
  return partsOf(template).map(write).join('')
}

/** Where a text was found. */
export interface Found {
  template: Template
  /** The name that it has in its set. */
  name: string
  language: string
}

/**
 * Returns the template of an event: in the set, then in the standard one; in the language, then in English; of the role, then of all.
 * Undefined where there is none at all.
 */
export function findTemplate(
  templates: Templates,
  { set, language, name, role }: { set: string; language: string; name: string; role: string },
): Found | undefined {
  const short = language.split('-')[0]!.toLowerCase()
  for (const inSet of set === 'standard' ? [set] : [set, 'standard'])
    for (const inLanguage of short === 'en' ? ['en'] : [short, 'en'])
      for (const one of [`${name}/${role}`, name]) {
        const texts = member(member(templates, inSet), inLanguage)
        const template = member(texts, one)
        if (template !== undefined) return { template, name: one, language: inLanguage }
      }
  return undefined
}

const member = <T>(of: Readonly<Record<string, T>> | undefined, name: string): T | undefined =>
  of !== undefined && Object.hasOwn(of, name) ? of[name] : undefined
