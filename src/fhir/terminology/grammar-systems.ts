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
  /** Returns whether the code was one, and is not in use any more. */
  inactive?(code: string): boolean
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

/** Codes of ISO 4217 that the runtime names, but does not list: funds, metals and those for no currency. */
const OTHER_CURRENCIES =
  'BOV CHE CHW CLF COU MXV USN UYI UYW VED XAG XAU XBA XBB XBC XBD XPD XPT XTS XUA XXX'.split(' ')

let current: ReadonlySet<string> | undefined
function currencies(): ReadonlySet<string> {
  current ??= new Set([...Intl.supportedValuesOf('currency'), ...OTHER_CURRENCIES].sort())
  return current
}

/** The runtime names these too: reserved exceptionally, or for users, and no codes of ISO 3166-1. */
const NO_COUNTRIES = /^(?:AC|CP|CQ|DG|EA|EU|EZ|IC|QO|TA|UN|XA|XB|XK|ZZ)$/

const nameOfCountry = named('region', /^[A-Z]{2}$/)

function countryName(code: string): string | undefined {
  const name = NO_COUNTRIES.test(code) ? undefined : nameOfCountry(code)
  // What was withdrawn (SU), or never was one (UK), the runtime takes for what has come in its place.
  return name !== undefined && Intl.getCanonicalLocales(`und-${code}`)[0] === `und-${code}` ? name : undefined
}

/** Subtags for no language in particular, which the runtime names in part. RFC 5646, 4.1. */
const NO_LANGUAGE: ReadonlySet<string> = new Set(['und', 'mis', 'mul', 'zxx'])

function languageName(code: string): string | undefined {
  try {
    const primary = code.split('-')[0]!.toLowerCase()
    // Longer ones are reserved: "Hindi" has the form of a tag, and is none.
    if (!/^[a-z]{2,3}$/.test(primary)) return undefined
    const known = new Intl.DisplayNames('en', { type: 'language', fallback: 'none' }).of(primary)
    if (known === undefined && !NO_LANGUAGE.has(primary)) return undefined
    // Of a language with two letters, three are no tag: "hin". Some stand for a language of their own, as "cmn" for Mandarin.
    if (primary.length === 3 && new Intl.Locale(primary).language?.length === 2) return undefined
    return new Intl.DisplayNames('en', { type: 'language', fallback: 'code' }).of(code) ?? code
  } catch {
    return undefined
  }
}

/** Tags that the runtime cannot judge: three letters, private ones and those registered of old, and languages within others (`zh-yue`). */
const DOUBTFUL_TAG =
  /^(?:[a-z]{3}(?:-[a-z0-9]{2,8})*|[xi](?:-[a-z0-9]{1,8})+|(?:ar|kok|lv|ms|sgn|sw|uz|zh)-[a-z]{3}(?:-[a-z0-9]{2,8})*)$/i

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
    displayOf: languageName,
    doubts: code => DOUBTFUL_TAG.test(code),
  },
  'urn:iso:std:iso:4217': {
    title: 'Currencies (ISO 4217)',
    displayOf: named('currency', /^[A-Z]{3}$/),
    inactive: code => !currencies().has(code),
    all: () => [...currencies()],
  },
  'urn:iso:std:iso:3166': {
    title: 'Countries (ISO 3166-1)',
    displayOf: countryName,
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
    if (display === undefined) return undefined
    const properties = new Map(grammar.inactive?.(code) ? [['inactive', ['true']]] : [])
    return { code, display, properties }
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
