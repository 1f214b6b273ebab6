/**
 * Alternatives that differ in their values only, as one list: a thousand values of an `or` are one condition instead of a thousand, which
 * D1 would refuse (100 KB a statement) and SQLite prepare slowly.
 */
import type { Node } from '../../search/plan-node.ts'
import { NO_TERM, type Terms } from './index-tables.ts'
import { type Kind, type Leaf, leaf, textFound, textMeets } from './leaf.ts'
import { nameId } from './names.ts'
import { type Param, raw, type Sql, sql, unionAll } from './sql.ts'

type Valued = Leaf | Kind<'string'>

export interface ValueSet {
  kind: 'set'
  /** Several only for `references`, which ask for the same targets under each. */
  params: readonly string[]
  /** Looked up in a list where the values are compared for equality; otherwise the condition that each value has its own version of. */
  of: 'code' | 'coded' | 'reference' | 'references' | 'uri' | 'alike'
  nodes: Valued[]
}

/** Fewer are quicker as they are. */
const FEWEST = 3

const equality = (node: Valued): ValueSet['of'] | undefined => {
  if (node.kind === 'token' && node.code !== undefined) return node.system === undefined ? 'code' : 'coded'
  if (node.kind === 'reference' && node.type !== undefined && node.version === undefined) return 'reference'
  if (node.kind === 'uri' && node.match === 'equals') return 'uri'
  return undefined
}

const isValued = (node: Node): node is Valued =>
  ['token', 'uri', 'date', 'quantity', 'reference', 'string'].includes(node.kind)

const conditionOf = (node: Valued, terms: Terms): Sql =>
  node.kind === 'string' ? sql`str.p = ${nameId(node.param)} AND ${textMeets(node)}` : leaf(node, terms).where

const flattened = (node: Node): Node[] => (node.kind === 'or' ? node.nodes.flatMap(flattened) : [node])

/** Returns the alternatives with those of one kind and parameter put together. */
export function grouped(nodes: readonly Node[], terms: Terms): (Node | ValueSet)[] {
  const flat = nodes.flatMap(flattened)
  if (flat.length < FEWEST) return flat
  const sets = new Map<string, ValueSet>()
  const rest: (Node | ValueSet)[] = []
  for (const node of flat) {
    if (!isValued(node)) {
      rest.push(node)
      continue
    }
    const of = equality(node) ?? 'alike'
    const name = `${of} ${node.param} ${of === 'alike' ? node.kind + conditionOf(node, terms).text : ''}`
    const set = sets.get(name)
    if (set === undefined) sets.set(name, { kind: 'set', params: [node.param], of, nodes: [node] })
    else set.nodes.push(node)
  }
  for (const set of sameTargets([...sets.values()])) {
    if (set.nodes.length * set.params.length < FEWEST) rest.push(...set.nodes)
    else rest.push(set)
  }
  return rest
}

/** Returns the sets with those that ask for the same targets made one: a compartment has a hundred parameters, `_revinclude=*` more. */
function sameTargets(sets: readonly ValueSet[]): ValueSet[] {
  const others = sets.filter(({ of }) => of !== 'reference')
  const byTargets = new Map<string, ValueSet[]>()
  for (const set of sets) {
    if (set.of !== 'reference') continue
    const targets = JSON.stringify((set.nodes as Kind<'reference'>[]).map(({ type, id }) => [id, type]))
    const same = byTargets.get(targets)
    if (same === undefined) byTargets.set(targets, [set])
    else same.push(set)
  }
  for (const same of byTargets.values()) {
    if (same.length < FEWEST) others.push(...same)
    else others.push({ ...same[0]!, of: 'references', params: same.flatMap(({ params }) => params) })
  }
  return others
}

interface Listed {
  table: string
  /** What stands before the table in FROM, or nothing. */
  before: Sql
  where: Sql
}

/** The rows that meet one of the set. */
function listed(set: ValueSet, terms: Terms): Listed {
  const p = sql`p = ${nameId(set.params[0]!)}`
  const none = raw('')
  switch (set.of) {
    case 'code': {
      const codes = set.nodes.map(node => (node as Kind<'token'>).code)
      return { table: 'tok', before: none, where: sql`${p} AND code IN (${values(codes)})` }
    }
    case 'coded': {
      const pairs = set.nodes.map(node => {
        const { code, system } = node as Kind<'token'>
        return [code, system === '' ? NO_TERM : (terms.get(system!) ?? system)]
      })
      const list = sql`SELECT a.value->>0, CASE typeof(a.value->>1) WHEN 'integer' THEN a.value->>1 ELSE (SELECT id FROM term WHERE text = a.value->>1) END FROM json_each(${JSON.stringify(pairs)}) a`
      return { table: 'tok', before: none, where: sql`${p} AND (code, sys) IN (${list})` }
    }
    case 'reference': {
      const list = sql`SELECT a.value->>0, a.value->>1 FROM json_each(${targetsOf(set)}) a`
      return { table: 'ref', before: none, where: sql`${p} AND (id, type) IN (${list})` }
    }
    case 'references': {
      const list = sql`SELECT a.value->>0, a.value->>1 FROM json_each(${targetsOf(set)}) a`
      const where = sql`p IN (${values(set.params.map(nameId))}) AND (id, type) IN (${list})`
      return { table: 'ref', before: none, where }
    }
    case 'uri': {
      const uris = set.nodes.map(node => (node as Kind<'uri'>).value)
      return { table: 'uri', before: none, where: sql`${p} AND value IN (${values(uris)})` }
    }
    case 'alike': {
      const first = set.nodes[0]!
      const table = first.kind === 'string' ? 'str' : leaf(first, terms).table
      return { table, ...each(set.nodes.map(node => conditionOf(node, terms))) }
    }
  }
}

const targetsOf = (set: ValueSet): string =>
  JSON.stringify((set.nodes as Kind<'reference'>[]).map(node => [node.id, nameId(node.type!)]))

const values = (list: unknown[]): Sql => sql`SELECT a.value FROM json_each(${JSON.stringify(list)}) a`

/** Conditions of one text, as that text over the rows of a list of their parameters. Its column has a name that no table of ours has. */
function each(conditions: readonly Sql[]): { before: Sql; where: Sql } {
  let i = 0
  const text = conditions[0]!.text.replace(/\?/g, () => `(a.alike->>${i++})`)
  const lists: Param[][] = conditions.map(condition => condition.params)
  return {
    before: sql`(SELECT value AS alike FROM json_each(${JSON.stringify(lists)})) a CROSS JOIN `,
    where: raw(text),
  }
}

/** Returns the condition that the resource meets one of the set. */
export function setHolds(set: ValueSet, rid: Sql, terms: Terms): Sql {
  const { table, before, where } = listed(set, terms)
  const from =
    table === 'str'
      ? raw('str INDEXED BY str_rid CROSS JOIN sv ON sv.sid = str.sid')
      : raw(`${table} INDEXED BY ${table}_rid`)
  return sql`EXISTS (SELECT 1 FROM ${before}${from} WHERE ${raw(table)}.rid = ${rid} AND ${where})`
}

/** Returns the select of the resources that meet one of the set. */
export function setSelect(set: ValueSet, terms: Terms): Sql {
  if (set.nodes[0]!.kind === 'string') {
    // Needles of less than three characters are asked otherwise.
    const byText = new Map<string, Sql[]>()
    for (const node of set.nodes as Kind<'string'>[]) {
      const condition = textFound(node)
      const same = byText.get(condition.text)
      if (same === undefined) byText.set(condition.text, [condition])
      else same.push(condition)
    }
    return unionAll(
      [...byText.values()].map(same => {
        const { before, where } = each(same)
        return sql`SELECT str.rid AS rid FROM ${before}sv CROSS JOIN str ON str.sid = sv.sid WHERE ${where}`
      }),
    )
  }
  // In this order of the loops each target is looked up under each parameter; by lists SQLite would read all rows of the parameters.
  if (set.of === 'references')
    return sql`SELECT ref.rid AS rid FROM json_each(${JSON.stringify(set.params.map(nameId))}) b CROSS JOIN json_each(${targetsOf(set)}) a CROSS JOIN ref ON ref.p = b.value AND ref.id = a.value->>0 AND ref.type = a.value->>1`
  const { table, before, where } = listed(set, terms)
  return sql`SELECT rid FROM ${before}${raw(table)} WHERE ${where}`
}

/** Returns conditions of which one must hold, with those of one text made one condition over the list of their parameters. */
export function alike(conditions: readonly Sql[]): Sql[] {
  if (conditions.length < FEWEST) return [...conditions]
  const byText = new Map<string, Sql[]>()
  for (const condition of conditions) {
    const same = byText.get(condition.text)
    if (same === undefined) byText.set(condition.text, [condition])
    else same.push(condition)
  }
  return [...byText.values()].flatMap(same => {
    if (same.length < FEWEST) return same
    const { before, where } = each(same)
    return [sql`EXISTS (SELECT 1 FROM ${before}(SELECT 1) WHERE ${where})`]
  })
}
