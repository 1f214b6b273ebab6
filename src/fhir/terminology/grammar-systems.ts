/**
 * Code systems whose codes are made by a grammar, or that the runtime knows: units, media types, languages, currencies, countries.
 * https://hl7.org/fhir/R4/terminologies-systems.html
 */
import type { JsonObject } from '../json.ts'
import { canonicalUnit, UCUM, UCUM_VERSION } from '../ucum.ts'
import type { AskedSystem } from './asked-system.ts'
import type { Concept } from './code-system.ts'
import { shown } from './filter.ts'
import { NotListed } from './not-listed.ts'
import { compileRegex } from './regex.ts'

interface Grammar {
  title: string
  version?: string
  /** Returns the display of a code of the system; undefined for what is none. */
  displayOf(code: string): string | undefined
  doubts?(code: string): boolean
  /** Returns all codes there may be, where these are few. */
  all?(): readonly string[]
  /** Returns whether the filter selects a code; undefined for a filter that is not understood. */
  selects?(filter: JsonObject, code: string): boolean | undefined
}

/** RFC 6838, 4.2; parameters may follow. */
const MEDIA_TYPE =
  /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\/[A-Za-z0-9*][A-Za-z0-9!#$&^_.+-]{0,126}(?:\s*;\s*[A-Za-z0-9!#$&^_.+-]+=(?:[^\s;"]+|"[^"]*"))*$/

const LONGEST_CODE = 200

function named(type: 'currency' | 'region', syntax: RegExp): Grammar['displayOf'] {
  // Making it takes half a millisecond, and asking it none.
  let names: Intl.DisplayNames | undefined
  return code => {
    if (!syntax.test(code)) return undefined
    // Without a fallback, a code that nobody has given a name to has none.
    names ??= new Intl.DisplayNames('en', { type, fallback: 'none' })
    return names.of(code)
  }
}

const LETTERS = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ']

const GRAMMARS: Readonly<Record<string, Grammar>> = {
  [UCUM]: {
    title: 'Unified Code for Units of Measure (UCUM)',
    version: UCUM_VERSION,
    displayOf: code => (canonicalUnit(code) === undefined ? undefined : code),
    // Arbitrary and special units are codes too, but the table of units, which is there to convert, has none of them.
    doubts: code => /^[!-~]+$/.test(code) && /\[|B|Np|bit_s|\{/.test(code),
    selects: ({ property, op, value }, code) => {
      if (property !== 'canonical' || op !== '=' || typeof value !== 'string') return undefined
      const unit = canonicalUnit(value)
      return unit !== undefined && unit.dimension === canonicalUnit(code)?.dimension
    },
  },
  'urn:ietf:bcp:13': {
    title: 'Media types (BCP 13)',
    displayOf: code => (MEDIA_TYPE.test(code) ? code : undefined),
  },
  'urn:ietf:bcp:47': {
    title: 'Tags for identifying languages (BCP 47)',
    displayOf: code => {
      try {
        return new Intl.DisplayNames('en', { type: 'language', fallback: 'code' }).of(code)
      } catch {
        return undefined
      }
    },
  },
  'urn:iso:std:iso:4217': {
    title: 'Currencies (ISO 4217)',
    displayOf: named('currency', /^[A-Z]{3}$/),
    all: () => Intl.supportedValuesOf('currency'),
  },
  'urn:iso:std:iso:3166': {
    title: 'Countries (ISO 3166-1)',
    displayOf: named('region', /^(?!EU|EZ|QO|UN|XA|XB|ZZ)[A-Z]{2}$/),
    all: () => LETTERS.flatMap(a => LETTERS.map(b => a + b)),
    doubts: code => /^(?:[A-Z]{3}|[0-9]{3}|[A-Z]{2}-[A-Z0-9]{1,3})$/.test(code),
    selects: ({ property, op, value }, code) =>
      property === 'code' && op === 'regex' && typeof value === 'string'
        ? compileRegex(value)?.(code)
        : undefined,
  },
}

export const GRAMMAR_SYSTEMS: readonly string[] = Object.keys(GRAMMARS)

/** Returns the system that a canonical names, where it is one of these; its codes can be asked for, and not listed. */
export function grammarSystem(canonical: string): AskedSystem | undefined {
  const bar = canonical.indexOf('|')
  const url = bar < 0 ? canonical : canonical.slice(0, bar)
  const grammar = Object.hasOwn(GRAMMARS, url) ? GRAMMARS[url]! : undefined
  if (grammar === undefined) return undefined
  const find = async (code: string): Promise<Concept | undefined> => {
    const display = code.length > LONGEST_CODE ? undefined : grammar.displayOf(code)
    return display === undefined ? undefined : { code, display, properties: new Map() }
  }
  return {
    url,
    version: grammar.version,
    title: grammar.title,
    find,
    some: async codes => (await Promise.all(codes.map(find))).flatMap(one => one ?? []),
    ...(grammar.doubts && { doubts: grammar.doubts }),
    async selects(filters, code) {
      for (const filter of filters) {
        const selected = grammar.selects?.(filter, code)
        if (selected === undefined)
          throw new NotListed(
            `the filter of ${shown(String(filter.property))} is not understood of ${shown(url)}`,
          )
        if (!selected) return false
      }
      return (await find(code)) !== undefined
    },
    async list({ filters, codes, text = '', offset, limit }) {
      const all = codes ?? grammar.all?.()
      if (all === undefined)
        throw new NotListed(`the codes of ${shown(url)} are made by a grammar, and cannot be listed`)
      // Alpha-3 and numeric codes of countries are codes as well, which nobody names here.
      if (codes === undefined && filters.some(filter => grammar.selects?.(filter, all[0]!) !== true))
        throw new NotListed(`not all codes of ${shown(url)} are known here`)
      const words = text.toLowerCase().split(/\s+/)
      const found: Concept[] = []
      for (const code of all) {
        const concept = await find(code)
        if (concept === undefined) continue
        const own = `${code} ${concept.display}`.toLowerCase().split(/[\s(-]+/)
        if (words.every(word => own.some(one => one.startsWith(word)))) found.push(concept)
      }
      return { concepts: found.slice(offset, offset + limit), total: found.length }
    },
    async around() {
      throw new NotListed(`${shown(url)} has no hierarchy`)
    },
    parents: async () => [],
    children: async () => [],
  }
}
