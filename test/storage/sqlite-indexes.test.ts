/** Searches are driven by the indexes they are meant for: read off SQLite's own query plan. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { IndexRow } from '../../src/search/index-row.ts'
import type { Node, SortKey } from '../../src/search/plan-node.ts'
import { memoryDriver } from '../../src/storage/sqlite/node-memory.ts'
import { sqlStorage } from '../../src/storage/sqlite/store.ts'
import { changeOf, commitOf, planOf } from './rows.ts'
import { recording } from './sqlite-recording.ts'

const driver = recording(memoryDriver())
const options = {
  name: 'sqlite',
  maxBody: 1e9,
  pieceLength: 1e9,
  cancels: false,
  shared: false,
  clock: () => 0,
} as const
/** Nothing is gathered, everything walks; and the reverse. */
const walking = sqlStorage(driver, { ...options, gathers: 0 })
const gathering = sqlStorage(driver, { ...options, gathers: 1e9 })
afterAll(() => gathering.close())

const code: Node = { kind: 'token', param: 'Observation.code', system: 'http://loinc.org', code: 'c1' }
const status: Node = { kind: 'token', param: 'Observation.status', code: 'final' }
const subject: Node = { kind: 'reference', param: 'Observation.subject', type: 'Patient', id: 'p1' }
const date: Node = {
  kind: 'date',
  param: 'Observation.date',
  bounds: [
    { end: 'lo', op: '>=', value: 100 },
    { end: 'hi', op: '<=', value: 200 },
  ],
}
const since: Node = { kind: 'date', param: 'Observation.date', bounds: [{ end: 'hi', op: '>', value: 100 }] }
const value: Node = {
  kind: 'quantity',
  param: 'Observation.value-quantity',
  unit: '|mg',
  bounds: [
    { end: 'lo', op: '>=', value: 'a' },
    { end: 'hi', op: '<', value: 'b' },
  ],
}
const text = (match: 'starts' | 'contains' | 'equals' | 'exact'): Node => ({
  kind: 'string',
  param: 'Observation.note',
  match,
  value: 'abcdef',
})
const and = (...nodes: Node[]): Node => ({ kind: 'and', nodes })
const newest: SortKey[] = [{ by: 'param', params: ['Observation.date'], descending: true }]
const byStatus = (descending: boolean): SortKey[] => [
  { by: 'param', params: ['Observation.status'], coded: ['Observation.status'], descending },
]

beforeAll(async () => {
  const index: IndexRow[] = [
    { kind: 'token', param: 'Observation.code', system: 'http://loinc.org', code: 'c1' },
  ]
  await gathering.commit(commitOf([changeOf('Observation/1', 1, index)]))
})

/** Returns the lines of the query plans of the statements that find the page. */
async function planned(
  storage: typeof walking,
  where: Node,
  sort: SortKey[] = [],
  after?: (string | number)[],
): Promise<string[]> {
  driver.asked.length = 0
  await storage.search(planOf(['Observation'], where, sort), {
    limit: 20,
    total: 'none',
    ...(after ? { after } : {}),
  })
  const lines: string[] = []
  for (const { text: sql, params } of [...driver.asked]) {
    if (!sql.includes('v.body')) continue
    const [rows] = await driver.read([{ text: `EXPLAIN QUERY PLAN ${sql}`, params }])
    for (const row of rows!) lines.push(String(row[3]))
  }
  return lines
}

it.each<[string, Node, RegExp]>([
  ['token', code, /SEARCH f USING PRIMARY KEY \(p=\? AND code=\?/],
  ['reference', subject, /SEARCH f USING PRIMARY KEY \(p=\? AND id=\?/],
  [
    'uri',
    { kind: 'uri', param: 'Observation.u', match: 'equals', value: 'x' },
    /SEARCH f USING PRIMARY KEY \(p=\? AND value=\?/,
  ],
  [
    'token and another',
    and(code, status),
    /SEARCH tok( EXISTS)? USING (COVERING )?INDEX tok_rid \(rid=\? AND p=\? AND code=\?\)/,
  ],
])('%s: read in the order of making, nothing sorted', async (_, where, index) => {
  for (const storage of [walking, gathering]) {
    const lines = await planned(storage, where, [], [0])
    expect(
      lines.some(line => index.test(line)),
      lines.join('\n'),
    ).toBe(true)
    expect(lines.filter(line => /TEMP B-TREE/.test(line))).toEqual([])
  }
})

it.each<[string, Node, RegExp]>([
  ['date within', date, /SEARCH dat USING PRIMARY KEY \(p=\? AND lo>\? AND lo<\?\)/],
  ['date since', since, /SEARCH dat USING (COVERING )?INDEX dat_hi \(p=\? AND hi>\?\)/],
  ['quantity', value, /SEARCH qty USING PRIMARY KEY \(p=\? AND unit=\? AND lo>\? AND lo<\?\)/],
  [
    'string starts',
    text('starts'),
    /SEARCH sv USING (COVERING )?INDEX sv_folded \(p=\? AND folded>\? AND folded<\?\)/,
  ],
  ['string equals', text('equals'), /SEARCH sv USING (COVERING )?INDEX sv_folded \(p=\? AND folded=\?\)/],
  [
    'string exact',
    text('exact'),
    /SEARCH sv USING (COVERING )?INDEX sv_folded \(p=\? AND folded=\? AND exact=\?\)/,
  ],
  ['string contains', text('contains'), /SCAN sv_trigram VIRTUAL TABLE/],
  [
    'or of many tokens',
    {
      kind: 'or',
      nodes: ['a', 'b', 'c', 'd'].map(one => ({ kind: 'token', param: 'Observation.code', code: one })),
    },
    /SEARCH tok USING PRIMARY KEY \(p=\? AND code=\?\)/,
  ],
  ['or of two kinds', { kind: 'or', nodes: [code, subject] }, /SEARCH tok USING PRIMARY KEY/],
])('%s: found by its index', async (_, where, index) => {
  const lines = await planned(gathering, where)
  expect(
    lines.some(line => index.test(line)),
    lines.join('\n'),
  ).toBe(true)
  expect(
    lines.filter(line => /SCAN (tok|str|sv|dat|qty|ref|uri|srt|ver|res)\b(?! VIRTUAL)/.test(line)),
  ).toEqual([])
})

it.each<[string, Node, SortKey[], (string | number)[], RegExp]>([
  [
    'a parameter',
    status,
    [{ by: 'param', params: ['Observation.date'], descending: false }],
    ['x', 5],
    /SEARCH f USING PRIMARY KEY \(p=\? AND key>\?\)/,
  ],
  [
    'a token parameter, beginning',
    subject,
    byStatus(false),
    [],
    /SEARCH f USING PRIMARY KEY \(p=\? AND code>\?\)/,
  ],
  [
    'a token parameter',
    subject,
    byStatus(false),
    ['x', 5],
    /SEARCH f USING PRIMARY KEY \(p=\? AND code>\?\)/,
  ],
  [
    'a token parameter, descending',
    subject,
    byStatus(true),
    ['x', 5],
    /SEARCH f USING PRIMARY KEY \(p=\? AND code=\? AND rid>\?\)/,
  ],
  [
    'a token parameter, each resource at its first code',
    subject,
    byStatus(true),
    ['x', 5],
    /SEARCH e USING COVERING INDEX tok_rid \(rid=\? AND p=\? AND code>\?\)/,
  ],
  [
    'a parameter, descending',
    status,
    newest,
    ['x', 5],
    /SEARCH f USING PRIMARY KEY \(p=\? AND key=\? AND rid>\?\)/,
  ],
  [
    'lastUpdated, newest first',
    status,
    [{ by: 'updated', descending: true }],
    [5, 5],
    /SEARCH f USING (COVERING )?INDEX res_updated \(type=\? AND lu<\?\)/,
  ],
  [
    'id',
    status,
    [{ by: 'id', descending: false }],
    ['x', 5],
    /SEARCH f USING INDEX res_key \(key>\? AND key<\?\)/,
  ],
])(
  'walks the index of %s where nothing narrows, from the cursor on',
  async (_, where, sort, after, index) => {
    const lines = await planned(walking, where, sort, after.length > 0 ? after : undefined)
    expect(
      lines.some(line => index.test(line)),
      lines.join('\n'),
    ).toBe(true)
    // Not even equal keys are sorted among themselves: half of all resources may share one.
    expect(
      lines.filter(line => /TEMP B-TREE/.test(line)),
      lines.join('\n'),
    ).toEqual([])
  },
)

const patient = (node: Node): Node => ({
  kind: 'chain',
  params: ['Observation.subject'],
  types: ['Patient'],
  canonical: false,
  node,
})
const mrn: Node = { kind: 'token', param: 'Patient.identifier', system: 'http://mrn', code: '1' }
const quantity = (end: 'lo' | 'hi', op: '>' | '<', bound: string): Node => ({
  kind: 'quantity',
  param: 'Observation.value-quantity',
  unit: '|mg',
  bounds: [{ end, op, value: bound }],
})
const day = (end: 'lo' | 'hi', op: '>' | '>=' | '<', at: number): Node => ({
  kind: 'date',
  param: 'Observation.date',
  bounds: [{ end, op, value: at }],
})
/** As `date=ge..&date=lt..`. */
const month = and({ kind: 'or', nodes: [day('hi', '>', 200), day('lo', '>=', 100)] }, day('lo', '<', 300))

it.each<[string, Node, RegExp[]]>([
  [
    'a chain',
    patient(mrn),
    [/SEARCH tok USING PRIMARY KEY \(p=\? AND code=\?/, /SEARCH ref USING PRIMARY KEY \(p=\? AND id=\?\)/],
  ],
  [
    'a chain of chains',
    patient({ kind: 'chain', params: ['Patient.link'], types: ['Patient'], canonical: false, node: mrn }),
    [/SEARCH tok USING PRIMARY KEY \(p=\? AND code=\?/, /SEARCH ref USING PRIMARY KEY \(p=\? AND id=\?\)/],
  ],
  [
    'a reverse chain',
    {
      kind: 'has',
      type: 'Encounter',
      params: ['Encounter.part-of'],
      node: { ...mrn, param: 'Encounter.identifier' },
    },
    [
      /SEARCH tok USING PRIMARY KEY \(p=\? AND code=\?/,
      /SEARCH ref USING (COVERING )?INDEX ref_rid \(rid=\? AND p=\?\)/,
      /SEARCH c USING INDEX res_key \(key=\?\)/,
    ],
  ],
  [
    'alternatives of several conditions',
    { kind: 'or', nodes: [and(code, value), and(status, value)] },
    [/SEARCH qty USING PRIMARY KEY \(p=\? AND unit=\? AND lo>\? AND lo<\?\)/],
  ],
  [
    'a word',
    { kind: 'word', param: '_text', word: 'fever', prefix: false },
    [/SCAN wrd_index VIRTUAL TABLE/, /SEARCH wrd USING INTEGER PRIMARY KEY/],
  ],
  [
    'a place',
    { kind: 'near', param: 'Observation.near', latitude: 1, longitude: 2, metres: 5 },
    [/SEARCH pos USING PRIMARY KEY \(p=\? AND lat>\? AND lat<\?\)/],
  ],
  [
    'a date about another',
    {
      ...day('lo', '<', 300),
      bounds: [
        { end: 'lo', op: '<', value: 300 },
        { end: 'hi', op: '>', value: 200 },
      ],
    } as Node,
    [
      /SEARCH dat USING PRIMARY KEY \(p=\? AND lo<\?\)|SEARCH dat USING PRIMARY KEY \(p=\? AND lo>\? AND lo<\?\)/,
    ],
  ],
  [
    'a quantity above another',
    quantity('hi', '>', 'b'),
    [/SEARCH qty USING PRIMARY KEY \(p=\? AND unit=\? AND lo>\?\)/],
  ],
])('%s: found by indexes from its rarest part', async (_, where, indexes) => {
  const lines = await planned(gathering, where)
  for (const index of indexes)
    expect(
      lines.some(line => index.test(line)),
      lines.join('\n'),
    ).toBe(true)
  expect(
    lines.filter(line => /SCAN (tok|str|sv|dat|qty|ref|uri|srt|ver|res|pos)\b(?! VIRTUAL)/.test(line)),
  ).toEqual([])
})

it.each<[string, SortKey[], RegExp]>([
  ['newest first', newest, /SEARCH f USING PRIMARY KEY \(p=\? AND key<\?\)/],
  [
    'oldest first',
    [{ ...newest[0]!, descending: false }],
    /SEARCH f USING PRIMARY KEY \(p=\? AND key>\? AND key<\?\)/,
  ],
])('a range of dates, %s: the walk begins and ends with the range', async (_, sort, index) => {
  const lines = await planned(walking, and(month, code), sort)
  expect(
    lines.some(line => index.test(line)),
    lines.join('\n'),
  ).toBe(true)
  expect(lines.filter(line => /TEMP B-TREE/.test(line))).toEqual([])
})

it('a chain that most resources meet is judged per resource, by keys', async () => {
  const lines = await planned(walking, and(code, patient({ kind: 'not', node: mrn })))
  for (const index of [
    /SEARCH s1 USING (COVERING )?INDEX ref_rid \(rid=\? AND p=\?\)/,
    /SEARCH c1 USING INDEX res_key \(key=\?\)/,
  ])
    expect(
      lines.some(line => index.test(line)),
      lines.join('\n'),
    ).toBe(true)
})

it('says by what index it searched, why, and what would be quicker', async () => {
  const explain = async (where: Node, sort: SortKey[] = [], total: 'none' | 'accurate' = 'none') =>
    (await gathering.search(planOf(['Observation'], where, sort), { limit: 5, total, explain: true }))
      .explained!
  const found = await explain(and(code, day('lo', '<', 300)), newest)
  expect(found.driver).toMatch(
    /token Observation.code, 1 rows? counted|date Observation.date, 0 rows counted/,
  )
  expect(found.plans.join('\n')).toMatch(/USING/)
  expect(found.hint).toBeUndefined()
  const listed = await explain({ kind: 'not', node: code })
  expect(listed.driver).toContain('res_type')
  expect(listed.hint).toMatch(/add one/)
})

it('asks no count where there is nothing to choose', async () => {
  driver.asked.length = 0
  await gathering.search(planOf(['Observation'], code), { limit: 20, total: 'none' })
  expect(driver.asked).toHaveLength(1)
})

it('looks each target of many reference parameters up, as a compartment and _revinclude=* ask, in one statement', async () => {
  const where: Node = {
    kind: 'or',
    nodes: Array.from({ length: 600 }, (_, param) =>
      ['p1', 'p2'].map(
        (id): Node => ({ kind: 'reference', param: `Observation.r${param}`, type: 'Patient', id }),
      ),
    ).flat(),
  }
  const lines = await planned(gathering, where)
  expect(lines.filter(line => line.includes('SEARCH ref'))).toEqual([
    expect.stringContaining('SEARCH ref USING PRIMARY KEY (p=? AND id=?)'),
  ])
  expect(lines.some(line => /SCAN (res|ref)\b/.test(line))).toBe(false)
})
