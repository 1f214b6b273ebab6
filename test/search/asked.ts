/** The search cases, asked of the search interaction on a store that holds their resources. */
import type { Context } from '../../src/context.ts'
import { planned } from '../../src/interactions/planned.ts'
import { type SearchResult, search } from '../../src/interactions/search.ts'
import { parseSearch } from '../../src/search/parse.ts'
import type { PlannedSearch } from '../../src/search/plan.ts'
import { type Change, idOf, keyOf, type Storage, typeOf } from '../../src/storage/port.ts'
import { openSqlite } from '../../src/storage/sqlite/node.ts'
import { testSettings } from '../settings.ts'
import { silent } from '../storage/silent-log.ts'
import {
  CASE_BASE,
  CASE_NOW,
  CASE_ZONE,
  type CaseResource,
  caseName,
  caseRegistry,
  type SearchCase,
} from './cases.ts'

/** Returns the context of a search on this store, at the time of the cases. */
export const caseContext = (storage: Storage): Context => ({
  storage,
  settings: testSettings({ baseUrl: CASE_BASE, zone: CASE_ZONE, limits: { body: 1e7, pageDefault: 1000 } }),
  registry: caseRegistry,
  principal: { id: 'system' },
  clock: () => CASE_NOW,
  tick: () => 0,
  newId: () => 'none',
  log: silent,
  version: '0.0.0-test',
})

/** What a case found: names in order, all of them counted, `Type/id` of what was included, sorted, and what was left out as unknown. */
export interface Found {
  names: string[]
  total: number | undefined
  included: string[]
  ignored: string[]
}

/** Returns what a case finds on the store. Throws as the search interaction does. */
export async function askCase(ctx: Context, one: SearchCase): Promise<Found> {
  const found = await searchCase(ctx, one)
  return {
    names: found.rows.map(({ key }) => caseName(one, { type: typeOf(key), id: idOf(key) })),
    total: found.total,
    included: found.included.map(({ key }) => key).sort(),
    // Warnings about what was found have no expression.
    ignored: found.warnings.flatMap(({ expression }) => expression ?? []),
  }
}

const searchCase = (ctx: Context, { type, query, within, lenient }: SearchCase): Promise<SearchResult> =>
  search(ctx, type === '' ? undefined : type, [...new URLSearchParams(query), ['_total', 'accurate']], {
    ...(lenient === undefined ? {} : { lenient }),
    compartment: compartmentOf(within),
  })

/** Returns the plan of a case whose needs are looked up in the store. Throws as the search interaction does. */
export const planOnStore = (
  ctx: Context,
  { type, query, lenient, within }: SearchCase,
): Promise<PlannedSearch> => {
  const compartment = compartmentOf(within)
  return planned(ctx, parseSearch([...new URLSearchParams(query)]), {
    types: type === '' ? [] : [type],
    ...(lenient === undefined ? {} : { lenient }),
    ...(compartment === undefined ? {} : { within: compartment }),
  })
}

function compartmentOf(within: string | undefined): { type: string; id: string } | undefined {
  const [type, id] = within?.split('/') ?? []
  return type === undefined || id === undefined ? undefined : { type, id }
}

/** Returns the change that stores a resource of a case, or deletes it. */
export const changeOf = (
  { type, id, ...resource }: CaseResource,
  version: number,
  method: 'PUT' | 'DELETE',
): Change => ({
  key: keyOf(type, id),
  version,
  method,
  body: method === 'DELETE' ? null : { text: resource.text, stampAt: resource.stampAt },
  index: method === 'DELETE' ? [] : resource.rows,
  claims: [],
})

/** Returns a store in memory that holds these resources. */
export async function memoryStore(resources: readonly CaseResource[]): Promise<Storage> {
  const storage = await openSqlite({ path: ':memory:', sync: 'normal', clock: () => CASE_NOW, log: silent })
  for (const resource of resources)
    await storage.commit({
      id: `${resource.type}-${resource.id}`,
      at: resource.at,
      epoch: 0,
      changes: [changeOf(resource, 1, 'PUT')],
      require: [],
      outbox: [],
    })
  return storage
}
