/**
 * Chains and reverse chains. The resources at the far end are found first, one command for each level, and stand in the filter by their
 * references; where they are too many, the near end is searched and each resource of it is looked up by `$lookup` instead.
 * https://hl7.org/fhir/R4/search.html#chaining
 */
import type { Document } from 'mongodb'
import { fhirError } from '../../fhir/error.ts'
import type { Node } from '../../search/plan-node.ts'
import { type Asking, ask, type Question } from './ask.ts'
import { compile, either, liveOf, merge, NEVER } from './compile.ts'
import { afterPrefix, CUT, escaped, targetPrefix, textPrefix } from './terms.ts'

type Chain = Extract<Node, { kind: 'chain' }>
type Has = Extract<Node, { kind: 'has' }>

const MOST_LINKED = 10_000
/** So many short texts make a filter of about 1 MB. */
const MOST_TERMS = 20_000

/** Returns the question for live resources of these types, of all where there are none. Throws as `questionOf` does. */
export async function searchOf(on: Asking, types: readonly string[], where: Node): Promise<Question> {
  const { match, stages } = await questionOf(on, types, where)
  const parts = conjuncts(where)
  const texts = parts.map(textsOf).find(found => found !== undefined)
  if (texts === undefined || parts.some(drives)) return { match: merge([match, liveOf(types)]), stages }
  // Only live resources of the type have terms of its parameters, and without the type no other index can begin.
  const implied = types.length === 1 && texts.every(text => text.param.startsWith(`${types[0]}.`))
  return { match: implied ? match : merge([match, liveOf(types)]), stages, spread: true }
}

type Text = Extract<Node, { kind: 'string' }>

/** Returns the nodes of a text contained, or of several texts of which one is enough. */
function textsOf(node: Node): readonly Text[] | undefined {
  if (node.kind === 'string') return isWithin(node) ? [node] : undefined
  const texts = node.kind === 'or' ? node.nodes.filter(one => one.kind === 'string') : []
  return node.kind === 'or' && texts.length > 0 && texts.length === node.nodes.length ? texts : undefined
}

/** An index can begin with the node, and finds few by it as a rule. */
const drives = (node: Node): boolean =>
  node.kind === 'string'
    ? !isWithin(node) && !/[<>]/.test(node.match)
    : isLink(node) || !['or', 'not', 'type', 'updated', 'present', 'differs'].includes(node.kind)

/** A chain into stored resources, and into contained ones. */
const isLink = (node: Node): boolean =>
  node.kind === 'or' && node.nodes.some(one => one.kind === 'chain') && node.nodes.every(drives)

const isWithin = ({ match }: Text): boolean => match === 'contains' || match === 'ends'

/**
 * Returns the question for resources for which the node holds; `types` are those that they can have, none where any.
 *
 * Throws `not-supported` for a node unknown, and in a transaction `too-costly` where a chain leads to too many resources.
 */
export async function questionOf(on: Asking, types: readonly string[], where: Node): Promise<Question> {
  const nodes = linksIn(where)
  if (nodes.length === 0) return { match: compile(where, types), stages: [] }
  const linked = new Map<Node, Document>()
  const lookups = new Map<Node, Document[]>()
  const resolve = async (node: Chain | Has, i: number): Promise<void> => {
    const link = node.kind === 'chain' ? await chain(on, node, i) : await has(on, node, i, types)
    linked.set(node, link.match)
    if (link.stages.length > 0) lookups.set(node, link.stages)
  }
  // A session sends one command after the other.
  if (on.session) for (const [i, node] of nodes.entries()) await resolve(node, i)
  else await Promise.all(nodes.map(resolve))
  const early: Node[] = []
  const late: Node[] = []
  for (const part of conjuncts(where))
    (linksIn(part).some(node => lookups.has(node)) ? late : early).push(part)
  const match = compile({ kind: 'and', nodes: early }, types, linked)
  if (late.length === 0) return { match, stages: [] }
  return {
    match,
    stages: [
      ...[...lookups.values()].flat(),
      { $match: compile({ kind: 'and', nodes: late }, types, linked) },
    ],
  }
}

/** Returns the chain and has nodes of a plan, not those within them. */
function linksIn(node: Node): (Chain | Has)[] {
  if (node.kind === 'chain' || node.kind === 'has') return [node]
  if (node.kind === 'not') return linksIn(node.node)
  return node.kind === 'and' || node.kind === 'or' ? node.nodes.flatMap(linksIn) : []
}

const conjuncts = (node: Node): readonly Node[] =>
  node.kind === 'and' ? node.nodes.flatMap(conjuncts) : [node]

/** Sources with a reference that leads to a target. */
async function chain(on: Asking, node: Chain, i: number): Promise<Question> {
  const inner = await searchOf(on, node.types, node.node)
  if (!on.singly) {
    const targets = await targetsOf(on, node, inner)
    if (targets !== undefined) return { match: targets, stages: [] }
    if (on.session) throw tooMany(mostOf(on))
  }
  const byKey = `l${i}`
  const stages = lookup(on, byKey, referencesOf(node.params, ''), '_id', inner)
  if (!node.canonical) return { match: present(byKey), stages }
  const byUrl = `u${i}`
  const urls: Document = {
    $map: { input: referencesOf(node.params, '/'), as: 'one', in: unescaped('$$one') },
  }
  const terms = {
    $concatArrays: node.types.map(type => ({
      $map: { input: urls, as: 'url', in: { $concat: [{ $literal: urlPrefix(type) }, '$$url'] } },
    })),
  }
  return {
    match: { $or: [present(byKey), present(byUrl)] },
    stages: [...stages, ...lookup(on, byUrl, terms, 'ix', inner)],
  }
}

const urlPrefix = (type: string): string => textPrefix(`${type}.url`)

/** Returns the filter of references to what the question finds, undefined where that is too much. */
async function targetsOf(on: Asking, node: Chain, inner: Question): Promise<Document | undefined> {
  const projection: Document = { _id: 1 }
  const ranges = node.types.map(type => urlPrefix(type))
  if (node.canonical) projection.r = termsWith(ranges)
  const ends = new Set<string>()
  let count = 0
  const found = ask<{ _id: string; r?: string[] }>(on, 'chain', inner, {
    projection,
    limit: mostOf(on) + 1,
    batchSize: mostOf(on) + 2,
  })
  for await (const doc of found) {
    ends.add(doc._id)
    for (const term of doc.r ?? []) ends.add(`/${escaped(term.slice(term.indexOf(' ') + 2))}`)
    if (++count > mostOf(on) || ends.size * node.params.length > MOST_TERMS) {
      await found.close()
      return undefined
    }
  }
  return either(node.params.flatMap(param => [...ends].map(end => ({ ix: targetPrefix(param) + end }))))
}

/** Resources that a source leads to. */
async function has(on: Asking, node: Has, i: number, types: readonly string[]): Promise<Question> {
  const inner = await searchOf(on, [node.type], node.node)
  if (!on.singly) {
    const keys = await keysFrom(on, node, inner, types)
    if (keys !== undefined) return { match: keys.length === 0 ? NEVER : { _id: { $in: keys } }, stages: [] }
    if (on.session) throw tooMany(mostOf(on))
  }
  const field = `l${i}`
  const terms = node.params.map(param => ({ $concat: [{ $literal: targetPrefix(param) }, '$_id'] }))
  return { match: present(field), stages: lookup(on, field, terms, 'ix', inner) }
}

/** Returns the keys of what the sources lead to, undefined where they are too many. */
async function keysFrom(
  on: Asking,
  node: Has,
  inner: Question,
  types: readonly string[],
): Promise<string[] | undefined> {
  const wanted = types.length === 0 ? [''] : types.map(type => `${type}/`)
  const prefixes = node.params.flatMap(param => wanted.map(type => targetPrefix(param) + type))
  const keys = new Set<string>()
  let count = 0
  const found = ask<{ r: string[] }>(on, 'has', inner, {
    projection: { _id: 0, r: termsWith(prefixes) },
    limit: mostOf(on) + 1,
    batchSize: mostOf(on) + 2,
  })
  for await (const { r } of found) {
    for (const term of r) {
      const key = term.slice(term.indexOf(' ') + 2)
      // With a version it stands there without one too; a foreign one has no type.
      if (!key.includes('\u0001') && !key.startsWith('/')) keys.add(key)
    }
    if (++count > mostOf(on) || keys.size > MOST_TERMS) {
      await found.close()
      return undefined
    }
  }
  return [...keys]
}

const mostOf = (on: Asking): number => on.most ?? MOST_LINKED

const tooMany = (most: number) =>
  fhirError(
    'too-costly',
    `A chained parameter leads to more than ${most} resources, more than a condition of a write may have. Narrow it, for example by an identifier.`,
    { status: 400 },
  )

const present = (field: string): Document => ({ [`${field}.0`]: { $exists: true } })

/** Puts into `field` the id of a document that the question finds and whose `foreign` is one of the values. */
function lookup(
  on: Asking,
  field: string,
  values: Document | Document[],
  foreign: string,
  inner: Question,
): Document[] {
  return [
    { $set: { [field]: values } },
    {
      $lookup: {
        from: on.resources.collectionName,
        localField: field,
        foreignField: foreign,
        pipeline: [{ $match: inner.match }, ...inner.stages, { $limit: 1 }, { $project: { _id: 1 } }],
        as: field,
      },
    },
  ]
}

/** Returns the expression of the terms that begin with one of these. */
const termsWith = (prefixes: readonly string[]): Document => ({
  $filter: {
    input: { $ifNull: ['$ix', []] },
    as: 'one',
    cond: {
      $or: prefixes.map(prefix => ({
        $and: [
          { $gte: ['$$one', { $literal: prefix }] },
          { $lt: ['$$one', { $literal: afterPrefix(prefix) }] },
        ],
      })),
    },
  },
})

/** Returns the expression of what the references of a document lead to: keys, or with `/` as their beginning urls. */
function referencesOf(params: readonly string[], after: '' | '/'): Document {
  return {
    $concatArrays: params.map(param => {
      const prefix = targetPrefix(param) + after
      return {
        $map: {
          input: termsWith([prefix]),
          as: 'one',
          in: { $substrBytes: ['$$one', Buffer.byteLength(prefix), { $strLenBytes: '$$one' }] },
        },
      }
    }),
  }
}

/** Undoes `escaped` for the urls that can stand in a term. */
const unescaped = (value: string): Document => ({
  $replaceAll: { input: value, find: `${CUT}b`, replacement: CUT },
})
