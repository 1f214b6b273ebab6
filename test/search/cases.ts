/** The search cases of test/cases/search: resources, queries and what they find, to be run on every backend and in memory. */
import { readdirSync, readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { parseJson, type Resource, writeJson } from '../../src/fhir/json.ts'
import type { Known, Need } from '../../src/search/ask.ts'
import type { IndexRow } from '../../src/search/index-row.ts'
import { createIndexer } from '../../src/search/index-values.ts'
import { parseSearch } from '../../src/search/parse.ts'
import { type PlannedSearch, planSearch } from '../../src/search/plan.ts'
import { createRegistry } from '../../src/search/registry.ts'

/** One query and what it must find, worked out by hand from the specification. */
export interface SearchCase {
  /** '' searches the whole system; ids are then `Type/id`. */
  type: string
  /** As it stands in a URL, after the question mark. */
  query: string
  /** Ids in order. */
  expect?: string[]
  /** false where the case leaves the order open. */
  sorted?: boolean
  /** The issue code that the query is refused with, status 400. */
  error?: string
  lenient?: boolean
  /** What includes add to the page, `Type/id` each, sorted. */
  included?: string[]
  /** What the query needs to know stands in the resources of its file: it can be planned where these are stored, and nowhere else. */
  looksUp?: boolean
  /** What the store would tell of what the query needs to know. */
  known?: { need: Need; known: Known }[]
  /** The resource whose compartment is searched: `Patient/1`. */
  within?: string
  /** Expressions of the warnings under lenient. */
  ignored?: string[]
  /** The specification's sentence. */
  why: string
}

/** A resource of a case, as a commit needs it. */
export interface CaseResource {
  type: string
  id: string
  /** lastUpdated, ms since 1970; rises from one resource of a file to the next. */
  at: number
  /** Body.text: versionId 1, lastUpdated `at`. */
  text: string
  /** Body.stampAt */
  stampAt: number
  rows: IndexRow[]
}

export interface CaseFile {
  name: string
  resources: CaseResource[]
  cases: SearchCase[]
}

export const CASE_ZONE = 'Asia/Kolkata'
export const CASE_BASE = 'http://example.org/fhir'
export const CASE_NOW = Date.UTC(2024, 5, 15)
const START = Date.UTC(2024, 0, 1)
/** Each file begins after the one before it, so that all of them can be stored in one store, one after the other. */
const GAP = 60 * 86_400_000
/** After all files. */
export const CASES_END = START + 100 * GAP

export const caseRegistry = createRegistry()
const index = createIndexer(caseRegistry, {
  zone: CASE_ZONE,
  references: 'off',
  baseUrl: CASE_BASE,
  fullText: 'on',
})

const FOLDER = new URL('../cases/search/', import.meta.url)

/** Returns all case files; no two of them have a type and id in common, so that the order of creation is that of the file. */
export function loadCases(): CaseFile[] {
  return readdirSync(FOLDER)
    .filter(name => name.endsWith('.json'))
    .sort()
    .map((name, file) => {
      // Numbers of resources keep their text.
      const tree = parseJson(readFileSync(new URL(name, FOLDER), 'utf8')) as { resources?: Resource[] }
      const { cases } = JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')) as { cases: SearchCase[] }
      return {
        name: name.replace('.json', ''),
        resources: stored(tree.resources ?? [], START + file * GAP),
        cases,
      }
    })
}

/** Returns resources as they are stored one after the other, a minute apart from `start` on where they name no time of their own. */
export function stored(resources: Resource[], start: number): CaseResource[] {
  let last = start
  return resources.map(tree => {
    const { resourceType, id, meta, ...rest } = tree
    const { lastUpdated, ...others } = (meta ?? {}) as { lastUpdated?: string }
    last = lastUpdated === undefined ? last + 60_000 : Date.parse(lastUpdated)
    const resource = {
      resourceType,
      id,
      meta: { versionId: '1', lastUpdated: new Date(last).toISOString(), ...others },
      ...rest,
    } as Resource
    const text = writeJson(resource)
    return {
      type: resourceType,
      id: id as string,
      at: last,
      text,
      stampAt: text.indexOf('"lastUpdated":"') + '"lastUpdated":"'.length,
      rows: index(resource),
    }
  })
}

/** Returns the plan of a case. Throws as `parseSearch` and `planSearch` do. */
export function planCase({ type, query, lenient, within, known }: SearchCase): PlannedSearch {
  const [compartment, id] = within?.split('/') ?? []
  return planSearch(parseSearch([...new URLSearchParams(query)]), {
    registry: caseRegistry,
    types: type === '' ? [] : [type],
    zone: CASE_ZONE,
    baseUrl: CASE_BASE,
    now: CASE_NOW,
    fullText: 'on',
    known: need => known?.find(one => isDeepStrictEqual(one.need, need))?.known,
    ...(lenient === undefined ? {} : { lenient }),
    ...(compartment === undefined || id === undefined ? {} : { within: { type: compartment, id } }),
  })
}

/** Returns what the case calls a resource: its id, or type and id where the whole system is searched. */
export const caseName = ({ type }: SearchCase, resource: { type: string; id: string }): string =>
  type === '' ? `${resource.type}/${resource.id}` : resource.id
