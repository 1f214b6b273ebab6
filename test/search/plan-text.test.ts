/** Plans in words. */
import { describe, expect, it } from 'vitest'
import { decimalKey } from '../../src/lib/decimal.ts'
import { DATE_MAX, type Node, type SearchPlan } from '../../src/search/plan-node.ts'
import { planShape, planText } from '../../src/search/plan-text.ts'

const plan = (where: Node, more: Partial<SearchPlan> = {}): SearchPlan => ({
  types: ['Patient'],
  where,
  sort: [],
  fingerprint: '',
  ...more,
})
/** The line of a single node. */
const line = (node: Node) => planText(plan(node)).split('\n')[1]?.trim()

/** One of each kind, with a value that no log may hold. */
const SECRET = 'meera-nair'
const LEAVES: Record<Exclude<Node['kind'], 'and' | 'or' | 'not' | 'chain' | 'has' | 'type'>, Node> = {
  id: { kind: 'id', ids: [SECRET] },
  updated: { kind: 'updated', bounds: [{ end: 'lo', op: '>=', value: 1_605_000_000_000 }] },
  present: { kind: 'present', param: 'Patient.name' },
  token: { kind: 'token', param: 'Patient.identifier', system: SECRET, code: SECRET },
  string: { kind: 'string', param: 'Patient.family', match: 'starts', value: SECRET },
  uri: { kind: 'uri', param: '_profile', match: 'below', value: SECRET },
  differs: {
    kind: 'differs',
    param: 'Patient.family',
    from: [{ kind: 'string', param: 'Patient.family', match: 'equals', value: SECRET }],
  },
  date: {
    kind: 'date',
    param: 'Patient.birthdate',
    bounds: [{ end: 'lo', op: '<', value: 577_843_200_000 }],
  },
  quantity: {
    kind: 'quantity',
    param: 'Observation.value-quantity',
    unit: SECRET,
    bounds: [{ end: 'hi', op: '<=', value: decimalKey('37.25') }],
  },
  reference: {
    kind: 'reference',
    param: 'Patient.organization',
    type: 'Organization',
    id: SECRET,
    version: SECRET,
  },
  word: { kind: 'word', param: '_text', word: SECRET, prefix: true },
  near: { kind: 'near', param: 'Location.near', latitude: 9.9312, longitude: 76.2673, metres: 5000 },
}
const NUMBERS = /1605|2020-11|577|1988|37\.25|3725|9\.93|76\.26|5000/

describe('the text of a plan', () => {
  it.each([
    [LEAVES.token, `token Patient.identifier is "${SECRET}" of "${SECRET}"`],
    [{ kind: 'token', param: 'p', code: 'x', system: '' }, 'token p is "x" without a system'],
    [{ kind: 'token', param: 'p', system: 's' }, 'token p is any code of "s"'],
    [LEAVES.string, `string Patient.family begins with "${SECRET}"`],
    [{ kind: 'string', param: 'p', match: 'ends', value: 'x' }, 'string p ends with "x"'],
    [{ kind: 'string', param: 'p', match: '<=', value: 'x' }, 'string p <= "x"'],
    [LEAVES.differs, 'Patient.family has a value that differs from'],
    [LEAVES.date, 'date Patient.birthdate starts < 1988-04-24T00:00:00.000Z'],
    [
      { kind: 'date', param: 'p', bounds: [{ end: 'hi', op: '<', value: DATE_MAX }] },
      'date p ends < the end of time',
    ],
    [LEAVES.quantity, `number Observation.value-quantity in "${SECRET}" ends <= 37.25`],
    [LEAVES.near, 'Location.near is within 5000 m of 9.9312, 76.2673'],
    [{ kind: 'and', nodes: [] }, 'everything'],
    [{ kind: 'or', nodes: [] }, 'nothing'],
  ] as [Node, string][])('of %j', (node, text) => {
    expect(line(node)).toBe(text)
  })

  it.each([
    ['0.0054', '0.0054'],
    ['-1200', '-1200'],
    ['-0.5', '-0.5'],
    ['1e300', '1e300'],
    ['0', '0'],
  ])('writes the number %s as %s', (number, text) => {
    const bounds = [{ end: 'lo', op: '>', value: decimalKey(number) }] as const
    expect(line({ kind: 'quantity', param: 'p', unit: '', bounds })).toBe(`number p starts > ${text}`)
  })

  it('has a line for each node, indented, and ends with the order', () => {
    const where: Node = {
      kind: 'and',
      nodes: [
        {
          kind: 'chain',
          params: ['A.b'],
          types: ['Patient', 'Group'],
          canonical: false,
          node: LEAVES.present,
        },
        { kind: 'has', type: 'Observation', params: ['Observation.subject'], node: LEAVES.present },
        { kind: 'not', node: LEAVES.present },
      ],
    }
    const sort = [{ by: 'updated', descending: true }] as const
    expect(planText(plan(where, { types: [], sort }))).toBe(
      [
        'search all types',
        '  all of',
        '    A.b leads to Patient, Group, for which',
        '      Patient.name is present',
        '    a Observation refers to it by Observation.subject, for which',
        '      Patient.name is present',
        '    not',
        '      Patient.name is present',
        'order by updated descending, internal id',
      ].join('\n'),
    )
  })

  it('stays short, however much is asked', () => {
    const nodes = Array.from(
      { length: 1000 },
      (): Node => ({ ...LEAVES.string, value: 'x'.repeat(10_000) }) as Node,
    )
    const text = planText(plan({ kind: 'or', nodes }))
    expect(text.length).toBeLessThan(5000)
    expect(text).toContain('and 980 more')
  })
})

describe('the shape of a plan', () => {
  it('names kinds and parameters, like ones together', () => {
    const { token, string } = LEAVES
    const where: Node = { kind: 'and', nodes: [token, token, { kind: 'or', nodes: [string, token] }] }
    const sort = [{ by: 'param', params: ['Patient.birthdate'], descending: true }] as const
    expect(planShape(plan(where, { sort }))).toBe(
      'Patient: and(2 token Patient.identifier, or(string Patient.family, token Patient.identifier)) by -Patient.birthdate',
    )
  })

  it.each(Object.entries(LEAVES))('has no value of %s, wherever it stands', (kind, leaf) => {
    const chain: Node = { kind: 'chain', params: ['A.b'], types: ['Patient'], canonical: true, node: leaf }
    const has: Node = { kind: 'has', type: 'Patient', params: ['A.b'], node: { kind: 'not', node: leaf } }
    const sort = [
      { by: 'distance', param: 'Location.near', latitude: 9.9312, longitude: 76.2673, descending: false },
    ] as const
    const shape = planShape(
      plan({ kind: 'or', nodes: [leaf, { kind: 'and', nodes: [chain, has] }] }, { sort }),
    )
    expect(shape).toContain(kind)
    expect(shape).not.toContain(SECRET)
    expect(shape).not.toMatch(NUMBERS)
  })
})
